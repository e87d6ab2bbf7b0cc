import type { RecipientStatus } from './email-status';

/** What can happen to a recipient. */
export type RecipientEvent =
  /** The relay took the mail. */
  | 'taken'
  /** The relay refused it for good. */
  | 'refused'
  /** The relay put it off, or was not reached. */
  | 'put_off'
  /** The final dot may have left, and nobody knows what came of it. */
  | 'doubted'
  /** The relay cannot do what the mail needs. */
  | 'unsupported'
  /** Its time is over. */
  | 'expired'
  /** The caller stopped it. */
  | 'canceled'
  /** Somebody found out that it arrived, that it did not, or gave it up. */
  | 'resolved_sent'
  | 'resolved_resend'
  | 'resolved_failed';

/** `scheduled` and `sending` are seen by the clock and the lease, and never stored. */
export type StoredStatus = Exclude<RecipientStatus, 'scheduled' | 'sending'>;

/**
 * Every change of state there is. What is not here changes nothing, so a final state stays as it is, whatever comes
 * late or twice. A doubt stays until a relay, or somebody who knows, decides: a mail put off or expired after it may
 * have arrived all the same.
 */
export const transitions: readonly (readonly [state: StoredStatus, event: RecipientEvent, next: StoredStatus])[] = [
  ['queued', 'taken', 'sent'],
  ['queued', 'refused', 'bounced'],
  ['queued', 'put_off', 'deferred'],
  ['queued', 'doubted', 'uncertain'],
  ['queued', 'unsupported', 'failed'],
  ['queued', 'expired', 'expired'],
  ['queued', 'canceled', 'canceled'],

  ['deferred', 'taken', 'sent'],
  ['deferred', 'refused', 'bounced'],
  ['deferred', 'put_off', 'deferred'],
  ['deferred', 'doubted', 'uncertain'],
  ['deferred', 'unsupported', 'failed'],
  ['deferred', 'expired', 'expired'],
  ['deferred', 'canceled', 'canceled'],

  ['uncertain', 'taken', 'sent'],
  ['uncertain', 'refused', 'bounced'],
  ['uncertain', 'put_off', 'uncertain'],
  ['uncertain', 'doubted', 'uncertain'],
  ['uncertain', 'unsupported', 'uncertain'],
  ['uncertain', 'expired', 'uncertain'],
  ['uncertain', 'resolved_sent', 'sent'],
  ['uncertain', 'resolved_resend', 'queued'],
  ['uncertain', 'resolved_failed', 'failed'],
];
