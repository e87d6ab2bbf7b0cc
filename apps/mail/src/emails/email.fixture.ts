import { createHash } from 'node:crypto';
import type { RuleError } from '@sky-genesis/grpc/rule-error';
import type { StoredFile } from '../files/stored-file';
import { EmailLimits } from './email-limits';
import type { AttachmentDraft, EmailDraft } from './new-email';

/** The settings' defaults. */
export const limits = new EmailLimits(1000, 2_097_152, 100, 52_428_800, 64, 16_384, 259_200);

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

export const storedFile = (content: Buffer, over: Partial<StoredFile> = {}): StoredFile => ({
  id: '0190a0b0-0000-7000-8000-00000000000f',
  filename: 'file.txt',
  contentType: 'text/plain',
  size: content.length,
  sha256: createHash('sha256').update(content).digest(),
  createdAt: new Date('2026-01-02T03:04:05Z'),
  object: { id: '0190a0b0-0000-7000-8000-0000000000ff', size: content.length, state: {} },
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
