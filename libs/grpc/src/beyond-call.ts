import { callContext } from './call-context';

/**
 * Runs work that is not of the call at hand alone, or goes on when that has ended: what is shared with other calls, or puts
 * right what the call leaves behind. Neither the call's signal nor its deadline reaches it, nor the timers that it sets:
 * otherwise whoever happened to begin it would end it for all.
 */
export const beyondCall = <T>(work: () => T): T => callContext.exit(work);
