import { failure, type Finding, ok, warning } from './finding';

const WARN_MS = 2000;
const FAIL_MS = 60_000;

/** When a question left and when its answer was there, by this machine's clock, in milliseconds. */
export interface Asked {
  from: number;
  to: number;
}

/**
 * How far another clock is from this machine's. What the answer took to come is not held against it.
 * @param theirs milliseconds since 1970; cut to whole `grainMs`
 */
export function clockFinding(whose: string, theirs: number, { from, to }: Asked, grainMs = 1): Finding {
  const ahead = theirs - to;
  const behind = from - (theirs + grainMs);
  const off = Math.max(ahead, behind, 0);
  const what = `clock of ${whose}`;
  if (off <= WARN_MS) return ok(what, 'agrees with this machine');
  const found = `${(off / 1000).toFixed(1)} s ${ahead > 0 ? 'ahead of' : 'behind'} this machine`;
  const todo = 'Synchronise both clocks (NTP, chrony): tokens, certificates and retries go by them.';
  return off > FAIL_MS ? failure(what, found, todo) : warning(what, found, todo);
}
