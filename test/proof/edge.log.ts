import { untilNoneLeft } from './moving';
import type { ProofStack } from './proof-stack';

const PATIENCE_MS = 10_000;

/** One request, as the edge logged it: nginx-quic/conf/log.conf. */
export interface AccessLine {
  request_id: string;
  protocol: string;
  early_data: boolean;
  status: number;
  grpc_status: string;
}

/** Of a request that is over. @throws Error when it is not logged in time */
export async function accessLineOf(requestId: string, stack: ProofStack): Promise<AccessLine> {
  let found: AccessLine | undefined;
  const missing = (): number => {
    found = linesOf(stack).find((line) => line.request_id === requestId);
    return found ? 0 : 1;
  };
  await untilNoneLeft(missing, PATIENCE_MS);
  if (!found) throw new Error(`the edge did not log the request ${requestId}`);
  return found;
}

/** Whole lines; what nginx says of itself is no JSON. */
function linesOf(stack: ProofStack): AccessLine[] {
  const lines = stack.log('edge').split('\n').slice(0, -1);
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as AccessLine);
}
