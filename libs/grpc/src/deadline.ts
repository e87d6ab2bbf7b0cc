import { RuleError } from './rule-error';

/** What is kept of the time for the answer of this hop to be made and sent; of a short time, a tenth. */
const RESERVE_MS = 50;

/** What the next hop may take of the time that is left, in milliseconds; 0 or less: it need not be asked. */
export function timeForNextHop(deadline: number): number {
  const left = deadline - Date.now();
  return left - Math.min(RESERVE_MS, left / 10);
}

/** No answer in time: of which hop, and how long it had. @param path as on the wire, such as /sky_genesis.MailService/GetEmail */
export const noAnswer = (path: string, ms: number): RuleError =>
  new RuleError('DEADLINE_EXCEEDED', `${path.replace(/^\/(sky_genesis\.)?/, '')}: no answer within ${Math.max(0, Math.ceil(ms))} ms`);
