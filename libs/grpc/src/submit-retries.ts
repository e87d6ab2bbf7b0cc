import { setTimeout as delay } from 'node:timers/promises';
import { callContext } from './call-context';
import type { CodeName } from './error-reasons';
import { RuleError } from './rule-error';

const TRIES = 4;
const FIRST_WAIT_MS = 50;
/** Later than this nothing is tried again: the caller has waited long enough. */
const WITHIN_MS = 5000;

/** The mail may be accepted, or not. */
const isDoubt = ({ reason }: RuleError): boolean => reason === 'SERVICE_UNAVAILABLE' || reason === 'ACCEPT_UNKNOWN';

/** What the mail itself is refused for, by whichever try: none of them brought it in. */
const OF_THE_MAIL: readonly CodeName[] = ['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'ALREADY_EXISTS'];

/**
 * Submits again, with the same key, where it is not known whether the mail was accepted. Not by a retry policy of grpc-js: when
 * a later try finds the database away, or the token expired, its answer would say of all of them that nothing was accepted.
 * @throws RuleError the doubt, where no later try could settle it; else what the service answered
 */
export async function submitted<Response>(attempt: () => Promise<Response>): Promise<Response> {
  const began = performance.now();
  const signal = callContext.getStore()?.signal;
  let doubt: RuleError | undefined;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (isDoubt(error)) doubt = error;
      else throw doubt && !OF_THE_MAIL.includes(error.code) ? doubt : error;
      if (tries === TRIES || signal?.aborted || performance.now() - began > WITHIN_MS) throw doubt;
      await delay(FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + Math.random() / 2));
    }
  }
}
