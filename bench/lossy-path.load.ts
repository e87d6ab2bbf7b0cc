import { succeed, type WireRequest } from './call-wire';
import { AT_A_TIME } from './edge-calls.load';
import type { LossFigures } from './edge-figures';
import { Http3CallWire } from './http3-call.wire';
import { inTurn } from './in-turn';
import { closedLoop } from './load';
import type { LossyPath } from './lossy-path';

export interface LossyLoad {
  download: WireRequest;
  mebibytes: number;
  call: WireRequest;
  /** Of calls, each time. */
  seconds: number;
}

/** A download and calls over HTTP/3 on each path, on a connection of its own. */
export async function lossyPathLoad(
  paths: readonly LossyPath[],
  ca: string,
  { download, mebibytes, call, seconds }: LossyLoad,
  round: number,
): Promise<LossFigures[]> {
  const figures: LossFigures[] = [];
  for (const { port, loss } of inTurn(paths, round)) {
    const wire = await Http3CallWire.open('HTTP/3', { port, ca });
    const beganAt = performance.now();
    await succeed(wire, download);
    const mebibytesPerSecond = mebibytes / ((performance.now() - beganAt) / 1000);
    const calls: LossFigures['calls'] = [];
    for (const atATime of AT_A_TIME) {
      const { p50, p99, errors } = await closedLoop(atATime, seconds, async () => void (await succeed(wire, call)));
      calls.push({ atATime, p50, p99, errors });
    }
    wire.close();
    figures.push({ round, ...loss, mebibytesPerSecond, calls });
  }
  return figures;
}
