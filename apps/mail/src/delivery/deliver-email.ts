import { decideDoubt, decideExpired, decideOutcome, type Outcome, type OutcomePolicy, policyOf, postponed } from './decide-outcome';
import type { Handover } from './handover';
import type { OutgoingEmail } from './outgoing-email';

/** Builds and hands over one mail: one attempt. */
export type HandOver = (email: OutgoingEmail) => Promise<Handover>;

/**
 * One mail that a worker holds: an attempt, unless there is a doubt to tell or its time is over, and what it comes to.
 * @param waitMs not 0: there is no place for an attempt now, and the mail goes back into the queue
 */
export async function deliverEmail(claimed: OutgoingEmail, waitMs: number, handOver: HandOver, policy: OutcomePolicy): Promise<Outcome> {
  const startedAt = new Date();
  const email = withoutHeld(claimed, policy);
  if (email.dataSent) return decideDoubt(email, startedAt, policy);
  if (email.recipients.length === 0 || startedAt >= email.expiresAt) return decideExpired(email);
  if (waitMs > 0) return postponed(email, waitMs);
  const handover = await handOver(email);
  return decideOutcome(email, handover, startedAt, new Date(), policy);
}

/** Under `hold` a doubt is settled by somebody, never by sending again; other recipients of the mail may still wait. */
function withoutHeld(email: OutgoingEmail, policy: OutcomePolicy): OutgoingEmail {
  if (policyOf(email, policy) === 'resend') return email;
  return { ...email, recipients: email.recipients.filter(({ status }) => status !== 'uncertain') };
}
