import type { RuleError } from '@sky-genesis/grpc/rule-error';
import { EmailLimits } from './email-limits';
import type { AttachmentDraft, EmailDraft } from './new-email';

/** The settings' defaults. */
export const limits = new EmailLimits(1000, 2_097_152, 100, 64, 16_384, 259_200);

/** A mail that every rule accepts. */
export const draft = (over: Partial<EmailDraft> = {}): EmailDraft => ({
  from: 'Ann <ann@example.com>',
  to: ['bob@example.com'],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'hello',
  body: 'a text',
  htmlBody: '',
  headers: {},
  metadata: {},
  attachments: [],
  sendAt: '0',
  expiresAt: '0',
  onUncertain: '',
  ...over,
});

export const attachment = (over: Partial<AttachmentDraft> = {}): AttachmentDraft => ({
  filename: 'a.pdf',
  contentType: 'application/pdf',
  contentId: '',
  content: Buffer.from('bytes'),
  fileId: '',
  ...over,
});

/** What a rule refuses with. */
export function refusalOf(act: () => unknown): RuleError {
  try {
    act();
  } catch (error) {
    return error as RuleError;
  }
  throw new Error('was taken');
}
