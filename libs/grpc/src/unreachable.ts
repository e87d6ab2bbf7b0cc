import { RuleError } from './rule-error';

/** Services of the contract by the program that serves them, as people know it. */
const PROGRAMS: Readonly<Record<string, string>> = { MailService: 'mail', SearchService: 'search', StreamingService: 'mail' };

/** What grpc-js and Node say of a connection that did not come about, and what a caller is told: never an address. */
const WHY: readonly (readonly [said: RegExp, told: string])[] = [
  [/ECONNREFUSED/, 'connection refused'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution failed/, 'its name does not resolve'],
  [/EHOSTUNREACH|ENETUNREACH/, 'no route to it'],
  [/ETIMEDOUT/, 'no connection in time'],
  [/ECONNRESET|EPIPE|Connection dropped/, 'the connection was cut'],
];

/**
 * A call that grpc-js gave up as UNAVAILABLE by itself: which program could not be reached, and why where that is known.
 * @param service as in the contract, such as MailService
 */
export function unreachable(details: string, service: string | undefined): RuleError {
  const program = service === undefined ? undefined : (PROGRAMS[service] ?? service);
  const why = WHY.find(([said]) => said.test(details))?.[1];
  const text = `${program ?? 'a service'} cannot be reached${why === undefined ? '' : `: ${why}`}`;
  return new RuleError('SERVICE_UNAVAILABLE', text, program === undefined ? {} : { facts: { service: program } });
}
