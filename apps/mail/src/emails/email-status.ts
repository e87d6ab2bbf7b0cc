/** What a recipient can be, as callers see it; `sending` is seen while a worker holds the mail, and never stored. */
export const recipientStatuses = [
  'sending',
  'deferred',
  'queued',
  'scheduled',
  'uncertain',
  'bounced',
  'complained',
  'failed',
  'expired',
  'suppressed',
  'canceled',
  'sent',
  'delivered',
] as const;

export type RecipientStatus = (typeof recipientStatuses)[number];

/** A mail's status is the first of `recipientStatuses` that one of its recipients has. */
export function emailStatus(recipients: readonly RecipientStatus[]): RecipientStatus {
  return recipientStatuses.find((status) => recipients.includes(status)) ?? 'queued';
}
