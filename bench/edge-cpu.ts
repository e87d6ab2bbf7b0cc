import type { CallWire } from './call-wire';
import { cpuMicroseconds } from './cpu';
import type { EdgeCpu } from './edge-figures';

export type EdgePids = Record<'edge' | 'gateway' | 'mail', number>;

/** How long `work` takes, and what all that has part in it compute meanwhile, in microseconds. */
export async function measured<Result>(
  pids: EdgePids,
  wire: CallWire,
  work: () => Promise<Result>,
): Promise<{ result: Result; seconds: number; cpu: EdgeCpu }> {
  const others = () => ({
    client: wire.pid === undefined ? 0 : cpuMicroseconds(wire.pid),
    edge: cpuMicroseconds(pids.edge),
    gateway: cpuMicroseconds(pids.gateway),
    mail: cpuMicroseconds(pids.mail),
  });
  const before = others();
  const own = process.cpuUsage();
  const beganAt = performance.now();
  const result = await work();
  const seconds = (performance.now() - beganAt) / 1000;
  const { user, system } = process.cpuUsage(own);
  const after = others();
  const cpu = {
    client: after.client - before.client + user + system,
    edge: after.edge - before.edge,
    gateway: after.gateway - before.gateway,
    mail: after.mail - before.mail,
  };
  return { result, seconds, cpu };
}

export const dividedBy = ({ client, edge, gateway, mail }: EdgeCpu, count: number): EdgeCpu => ({
  client: client / count,
  edge: edge / count,
  gateway: gateway / count,
  mail: mail / count,
});
