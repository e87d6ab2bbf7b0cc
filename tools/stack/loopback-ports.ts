import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './start-error';

export const LOOPBACK = '127.0.0.1';

export interface WantedPort {
  /** The variable that changes it. */
  setting: string;
  /** 0: any free one. */
  port: number;
}

/** Undefined where none was wanted. */
export type FoundPorts<Wanted> = { [Name in keyof Wanted]: Wanted[Name] extends WantedPort ? number : number | undefined };

/**
 * The ports to listen on, each free and none twice. Ports in use are all told at once.
 * @param waitMs how long a port may still be held by a process that is ending
 * @throws StartError naming each port in use and the setting that changes it
 */
export async function findPorts<Wanted extends Record<string, WantedPort | undefined>>(
  wanted: Wanted,
  waitMs: number,
): Promise<FoundPorts<Wanted>> {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const { ports, faults } = await tryPorts(wanted);
    if (faults.length === 0) return ports as FoundPorts<Wanted>;
    if (Date.now() >= deadline) throw new StartError(...faults);
    await sleep(100);
  }
}

/** All are held until the last is found, so that none is found twice. */
async function tryPorts(wanted: Record<string, WantedPort | undefined>): Promise<{ ports: Record<string, number>; faults: string[] }> {
  const ports: Record<string, number> = {};
  const faults: string[] = [];
  const held: Server[] = [];
  for (const [name, want] of Object.entries(wanted)) {
    if (!want) continue;
    const { setting, port } = want;
    try {
      const server = await hold(port);
      held.push(server);
      ports[name] = (server.address() as AddressInfo).port;
    } catch (error) {
      faults.push(faultOf(port, setting, error as NodeJS.ErrnoException));
    }
  }
  await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))));
  return { ports, faults };
}

function hold(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(server));
  });
}

function faultOf(port: number, setting: string, error: NodeJS.ErrnoException): string {
  const why = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${error.code ?? error.message})`;
  return `Port ${port} ${why}. Set ${setting} to another one (0: any free port).`;
}
