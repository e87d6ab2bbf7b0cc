import type { RecipientStatus } from '../emails/email-status';
import { type Handover, isPermanent, type RecipientHandover } from './handover';
import type { OutgoingEmail } from './outgoing-email';
import type { RetrySchedule } from './retry-schedule';

export interface RecipientOutcome {
  position: number;
  address: string;
  status: Extract<RecipientStatus, 'sent' | 'deferred' | 'bounced' | 'failed' | 'expired' | 'uncertain'>;
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
  /** When to try the deferred ones again; undefined: every recipient has reached the end of its way. */
  retryInMs: number | undefined;
}

export interface OutcomePolicy {
  retry: RetrySchedule;
  onUncertain: 'hold' | 'resend';
}

/** Turns what the relay said into each recipient's state and the next attempt. */
export function decideOutcome(email: OutgoingEmail, handover: Handover, startedAt: Date, now: Date, policy: OutcomePolicy): Outcome {
  const recipients = email.recipients.map((recipient, index) => ({
    position: recipient.position,
    address: recipient.address,
    ...decideRecipient(handover.recipients[index], email.onUncertain ?? policy.onUncertain),
  }));
  const pending = recipients.some(({ status }) => status === 'deferred');
  const untilExpiry = email.expiresAt.getTime() - now.getTime();
  return {
    tenant: email.tenant,
    emailId: email.id,
    attemptNo: email.attemptNo,
    attempt: {
      startedAt,
      durationMs: now.getTime() - startedAt.getTime(),
      relay: handover.relay,
      outcome: handover.outcome,
      reply: handover.reply?.text ?? '',
      enhancedCode: handover.reply?.enhancedCode ?? '',
      tlsVersion: handover.tlsVersion,
    },
    recipients,
    // One that would come too late comes at the end, where it is found expired.
    retryInMs: pending ? Math.max(Math.min(policy.retry.delayMs(email.attemptNo), untilExpiry), 0) : undefined,
  };
}

/** The time is over: what was not reached by now will not be. */
export function decideExpired(email: OutgoingEmail): Outcome {
  return {
    tenant: email.tenant,
    emailId: email.id,
    attemptNo: email.attemptNo,
    attempt: undefined,
    recipients: email.recipients.map(({ position, address }) => ({
      position,
      address,
      status: 'expired',
      lastReply: '',
      enhancedCode: '',
      reason: 'EXPIRED',
    })),
    retryInMs: undefined,
  };
}

function decideRecipient(
  handover: RecipientHandover | undefined,
  onUncertain: 'hold' | 'resend',
): Pick<RecipientOutcome, 'status' | 'lastReply' | 'enhancedCode' | 'reason'> {
  const { result, reply, reason } = handover ?? { result: 'unreached', reply: undefined, reason: '' };
  const said = { lastReply: reply?.text ?? '', enhancedCode: reply?.enhancedCode ?? '', reason };
  switch (result) {
    case 'accepted':
      return { status: 'sent', ...said };
    case 'refused':
      return { status: 'bounced', ...said, reason: reason || 'RELAY_REFUSED' };
    case 'unsupported':
      return { status: 'failed', ...said };
    case 'uncertain':
      return { status: onUncertain === 'hold' ? 'uncertain' : 'deferred', ...said, reason: 'NO_REPLY_AFTER_DATA' };
    case 'deferred':
      return { status: 'deferred', ...said, reason: reason || 'RELAY_DEFERRED' };
    case 'unreached':
      return { status: 'deferred', ...said, reason: reason || 'RELAY_UNREACHABLE' };
  }
}

/** What a refusal or deferral by the relay means for a recipient. */
export const resultOf = (reply: Parameters<typeof isPermanent>[0]): 'refused' | 'deferred' => (isPermanent(reply) ? 'refused' : 'deferred');
