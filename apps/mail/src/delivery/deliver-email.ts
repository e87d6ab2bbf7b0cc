import { decideExpired, decideOutcome, type Outcome, type OutcomePolicy } from './decide-outcome';
import type { Handover } from './handover';
import type { OutgoingEmail } from './outgoing-email';

/** Builds and hands over one mail: one attempt. */
export type HandOver = (email: OutgoingEmail) => Promise<Handover>;

/** One mail that a worker holds: an attempt, unless its time is over, and what it comes to. */
export async function deliverEmail(email: OutgoingEmail, handOver: HandOver, policy: OutcomePolicy): Promise<Outcome> {
  const startedAt = new Date();
  if (startedAt >= email.expiresAt) return decideExpired(email);
  const handover = await handOver(email);
  return decideOutcome(email, handover, startedAt, new Date(), policy);
}
