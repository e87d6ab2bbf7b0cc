import { type Metadata, status } from '@grpc/grpc-js';
import { STATUS_DETAILS } from './grpc-status';
import { RuleError } from './rule-error';

/** What is kept of the time for the answer of this hop to be made and sent; of a short time, a tenth. */
const RESERVE_MS = 50;

/** What the next hop may take of the time that is left, in milliseconds; 0 or less: it need not be asked. */
export function timeForNextHop(deadline: number): number {
  const left = deadline - Date.now();
  return left - Math.min(RESERVE_MS, left / 10);
}

/** No answer in time: of which hop, and how long it had. @param path as on the wire, such as /sky_genesis.MailService/GetEmail */
export const noAnswer = (path: string, ms: number): RuleError => late(path, 'no answer', ms);

/** A stream that was not over in time. */
export const notOver = (path: string, ms: number): RuleError => late(path, 'not over', ms);

/** Told by grpc-js itself, on either side, and not by a service, which would say more. */
export const isBareTimeout = ({ code, metadata }: { code?: number | null; metadata?: Metadata | null }): boolean =>
  code === status.DEADLINE_EXCEEDED && !metadata?.get(STATUS_DETAILS).length;

const late = (path: string, what: string, ms: number): RuleError =>
  new RuleError('DEADLINE_EXCEEDED', `${path.replace(/^\/(sky_genesis\.)?/, '')}: ${what} within ${Math.max(0, Math.ceil(ms))} ms`);
