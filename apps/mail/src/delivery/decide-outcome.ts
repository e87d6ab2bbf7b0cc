import type { RecipientEvent } from '../emails/recipient-states';
import { type Handover, isPermanent, type RecipientHandover } from './handover';
import type { OutgoingEmail } from './outgoing-email';
import type { RetrySchedule } from './retry-schedule';

export interface RecipientOutcome {
  position: number;
  address: string;
  event: RecipientEvent;
  lastReply: string;
  enhancedCode: string;
  reason: string;
}

/** What one attempt made of a mail, as it is recorded. */
export interface Outcome {
  tenant: string;
  emailId: string;
  attemptNo: number;
  attempt:
    | { startedAt: Date; durationMs: number; relay: string; outcome: string; reply: string; enhancedCode: string; tlsVersion: string }
    | undefined;
  recipients: RecipientOutcome[];
  /** When to try again those that are left; undefined: none is. */
  retryInMs: number | undefined;
}

export interface OutcomePolicy {
  retry: RetrySchedule;
  onUncertain: 'hold' | 'resend';
}

/** Turns what the relay said into what happened to each recipient, and the next attempt. */
export function decideOutcome(email: OutgoingEmail, handover: Handover, startedAt: Date, now: Date, policy: OutcomePolicy): Outcome {
  const recipients = email.recipients.map(({ position, address }, index) => ({
    position,
    address,
    ...decideRecipient(handover.recipients[index]),
  }));
  const attempt = {
    startedAt,
    durationMs: now.getTime() - startedAt.getTime(),
    relay: handover.relay,
    outcome: handover.outcome,
    reply: handover.reply?.text ?? '',
    enhancedCode: handover.reply?.enhancedCode ?? '',
    tlsVersion: handover.tlsVersion,
  };
  return { ...idOf(email), attempt, recipients, retryInMs: retryInMs(email, recipients, now, policy) };
}

/** The worker that held the mail died when the final dot may have left: nobody can say more, and nothing is guessed. */
export function decideDoubt(email: OutgoingEmail, now: Date, policy: OutcomePolicy): Outcome {
  const { at, relay, positions } = email.dataSent ?? { at: now, relay: '', positions: [] };
  const recipients = email.recipients.map(({ position, address }) => {
    const event = positions.includes(position) ? ('doubted' as const) : ('put_off' as const);
    return { position, address, event, lastReply: '', enhancedCode: '', reason: 'NO_OUTCOME_RECORDED' };
  });
  const attempt = { startedAt: at, durationMs: 0, relay, outcome: 'uncertain', reply: '', enhancedCode: '', tlsVersion: '' };
  return { ...idOf(email), attempt, recipients, retryInMs: retryInMs(email, recipients, now, policy) };
}

/** The time is over: what was not reached by now will not be. */
export function decideExpired(email: OutgoingEmail): Outcome {
  const recipients = email.recipients.map(({ position, address }) => ({
    position,
    address,
    event: 'expired' as const,
    lastReply: '',
    enhancedCode: '',
    reason: 'EXPIRED',
  }));
  return { ...idOf(email), attempt: undefined, recipients, retryInMs: undefined };
}

/** Nothing was tried: the mail goes back into the queue, behind others, and nothing happened to its recipients. */
export const postponed = (email: OutgoingEmail, inMs: number): Outcome => ({
  ...idOf(email),
  attempt: undefined,
  recipients: [],
  retryInMs: inMs,
});

const idOf = ({ tenant, id, attemptNo }: OutgoingEmail) => ({ tenant, emailId: id, attemptNo });

function retryInMs(email: OutgoingEmail, outcomes: readonly RecipientOutcome[], now: Date, policy: OutcomePolicy): number | undefined {
  const resends = policyOf(email, policy) === 'resend';
  if (!outcomes.some(({ event }) => event === 'put_off' || (event === 'doubted' && resends))) return undefined;
  const attempts = 1 + Math.max(...email.recipients.map((recipient) => recipient.attempts));
  // One that would come too late comes at the end, where it is found expired.
  return Math.max(Math.min(policy.retry.delayMs(attempts), email.expiresAt.getTime() - now.getTime()), 0);
}

/** What the mail asks for, or else the server's setting. */
export const policyOf = (email: OutgoingEmail, policy: OutcomePolicy): 'hold' | 'resend' => email.onUncertain ?? policy.onUncertain;

function decideRecipient(
  handover: RecipientHandover | undefined,
): Pick<RecipientOutcome, 'event' | 'lastReply' | 'enhancedCode' | 'reason'> {
  const { result, reply, reason } = handover ?? { result: 'unreached', reply: undefined, reason: '' };
  const said = { lastReply: reply?.text ?? '', enhancedCode: reply?.enhancedCode ?? '', reason };
  switch (result) {
    case 'accepted':
      return { event: 'taken', ...said };
    case 'refused':
      return { event: 'refused', ...said, reason: reason || 'RELAY_REFUSED' };
    case 'unsupported':
      return { event: 'unsupported', ...said };
    case 'uncertain':
      return { event: 'doubted', ...said, reason: 'NO_REPLY_AFTER_DATA' };
    case 'deferred':
      return { event: 'put_off', ...said, reason: reason || 'RELAY_DEFERRED' };
    case 'unreached':
      return { event: 'put_off', ...said, reason: reason || 'RELAY_UNREACHABLE' };
  }
}

/** What a refusal or deferral by the relay means for a recipient. */
export const resultOf = (reply: Parameters<typeof isPermanent>[0]): 'refused' | 'deferred' => (isPermanent(reply) ? 'refused' : 'deferred');
