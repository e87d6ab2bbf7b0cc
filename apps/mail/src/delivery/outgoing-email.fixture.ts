import type { OutgoingEmail } from './outgoing-email';

/** A mail that a worker holds, with one recipient. */
export const outgoing = (over: Partial<OutgoingEmail> = {}): OutgoingEmail => ({
  tenant: 'acme',
  id: '0190a0b0-0000-7000-8000-000000000001',
  attemptNo: 1,
  takenOver: false,
  dataSent: undefined,
  createdAt: new Date('2026-01-02T03:04:05Z'),
  from: 'Ann <ann@example.com>',
  fromAddress: 'ann@example.com',
  to: ['bob@example.com'],
  cc: [],
  replyTo: [],
  subject: 'hello',
  body: 'a text',
  htmlBody: '',
  headers: {},
  sendAt: undefined,
  expiresAt: new Date('2026-01-05T03:04:05Z'),
  onUncertain: undefined,
  attachmentCount: 0,
  recipients: [{ position: 0, address: 'bob@example.com', kind: 'to', attempts: 0, status: 'queued' }],
  ...over,
});
