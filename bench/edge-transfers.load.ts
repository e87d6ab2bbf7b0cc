import { type CallWire, succeed, type WireRequest } from './call-wire';
import { dividedBy, type EdgePids, measured } from './edge-cpu';
import type { EdgeTransferFigures } from './edge-figures';
import { inTurn } from './in-turn';

export interface EdgeTransfer {
  name: string;
  request: WireRequest;
  mebibytes: number;
  wires: readonly CallWire[];
}

/** Every transfer by each of its wires in turn. */
export async function edgeTransfersLoad(transfers: readonly EdgeTransfer[], pids: EdgePids, round: number): Promise<EdgeTransferFigures[]> {
  const figures: EdgeTransferFigures[] = [];
  for (const { name: transfer, request, mebibytes, wires } of transfers) {
    for (const wire of inTurn(wires, round)) {
      const { seconds, cpu } = await measured(pids, wire, () => succeed(wire, request));
      const gibibytesOfMicroseconds = (mebibytes / 1024) * 1e6;
      figures.push({
        transfer,
        wire: wire.name,
        round,
        mebibytesPerSecond: mebibytes / seconds,
        cpu: dividedBy(cpu, gibibytesOfMicroseconds),
      });
    }
  }
  return figures;
}
