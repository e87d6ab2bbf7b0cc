import type { SearchReply } from './search.entrance';
import type { Acknowledged } from './search.sends';

/** What an answer turned out to be. */
export type Verdict =
  /** 200, complete: all that it claims is there. */
  | 'right'
  /** 200, and says that it may be incomplete. */
  | 'degraded'
  /** 503 with Retry-After, or 504. */
  | 'error'
  /** Any other answer. */
  | 'other error'
  /** 200, not degraded, and lacks a mail that was acknowledged before indexed_through_ms. */
  | 'lie'
  /** Has something that was not asked for. */
  | 'wrong';

/**
 * One answer, judged by nothing but what the client knew when it asked.
 * @param asked mails that were acknowledged before the question, and that it asks for, all and only these
 */
export function judge(reply: SearchReply, asked: readonly Acknowledged[]): { verdict: Verdict; lacking: Acknowledged[] } {
  if (reply.kind === 'refused') {
    const { status, retryAfter } = reply;
    return { verdict: (status === 503 && retryAfter) || status === 504 ? 'error' : 'other error', lacking: [] };
  }
  const { results, degraded, indexed_through_ms: throughMs } = reply.page;
  const found = new Set(results.map(({ id }) => id));
  const wanted = new Set(asked.map(({ id }) => id));
  if (found.size !== results.length || [...found].some((id) => !wanted.has(id))) return { verdict: 'wrong', lacking: [] };
  const missing = asked.filter(({ id }) => !found.has(id));
  if (degraded === true) return { verdict: 'degraded', lacking: missing };
  const lacking = missing.filter(({ at }) => at <= throughMs);
  return { verdict: lacking.length === 0 ? 'right' : 'lie', lacking };
}
