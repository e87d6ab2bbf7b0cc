import { type CallWire, succeed, type WireRequest } from './call-wire';
import { dividedBy, type EdgePids, measured } from './edge-cpu';
import type { CallFigures } from './edge-figures';
import { inTurn } from './in-turn';
import { closedLoop } from './load';

export interface EdgeCall {
  name: string;
  request: WireRequest;
  wires: readonly CallWire[];
}

export const AT_A_TIME = [1, 32];

/** Every call by each of its wires in turn, one caller and many. */
export async function edgeCallsLoad(calls: readonly EdgeCall[], pids: EdgePids, seconds: number, round: number): Promise<CallFigures[]> {
  const figures: CallFigures[] = [];
  for (const { name: call, request, wires } of calls) {
    for (const atATime of AT_A_TIME) {
      for (const wire of inTurn(wires, round)) {
        // Handshakes are no part of it.
        await Promise.all(Array.from({ length: atATime }, () => succeed(wire, request)));
        const load = () => closedLoop(atATime, seconds, async () => void (await succeed(wire, request)));
        const { result, cpu } = await measured(pids, wire, load);
        const { requests, ...rest } = result;
        figures.push({ call, wire: wire.name, round, atATime, ...rest, cpu: dividedBy(cpu, requests) });
      }
    }
  }
  return figures;
}
