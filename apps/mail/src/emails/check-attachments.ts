import { checkContentType, checkFilename } from '../files/check-file';
import { fileUuid } from '../files/file-id';
import type { StoredFile } from '../files/stored-file';
import type { Violations } from './check-fields';
import { type EmailLimits, MAX_CONTENT_ID } from './email-limits';
import type { AttachmentDraft, NewAttachment } from './new-email';

/** What the file ids of a mail name, by their UUIDs. */
export interface NamedFiles {
  complete: ReadonlyMap<string, StoredFile>;
  /** Uploads that are not complete. */
  unfinished: ReadonlySet<string>;
}

export const NO_FILES: NamedFiles = { complete: new Map(), unfinished: new Set() };

/** The same words whether it never existed, is gone, or is another tenant's. */
export const NO_FILE_OF_YOURS = 'names no file of yours';

const CONTENT_ID = /^[\x21-\x3b\x3d\x3f-\x7e]+$/;

/** Each file that the attachments name, once; none where there are too many attachments: they are refused anyway. */
export function namedFiles(attachments: readonly AttachmentDraft[], limits: EmailLimits): string[] {
  if (attachments.length > limits.attachments) return [];
  return [...new Set(attachments.flatMap(({ fileId }) => fileUuid(fileId) ?? []))];
}

/** The attachments as they will be stored, where nothing is wrong with them. */
export function checkAttachments(
  attachments: readonly AttachmentDraft[],
  named: NamedFiles,
  limits: EmailLimits,
  violations: Violations,
): NewAttachment[] {
  if (attachments.length > limits.attachments) {
    violations.add('email.attachments', `must be at most ${limits.attachments}`);
    return [];
  }
  const checked = attachments.map((attachment, index) => checkAttachment(`email.attachments[${index}]`, attachment, named, violations));
  const bytes = checked.reduce((sum, { content }) => sum + (content instanceof Uint8Array ? content.length : content.size), 0);
  if (bytes > limits.attachmentBytes) violations.add('email.attachments', `must be at most ${limits.attachmentBytes} bytes together`);
  return checked;
}

function checkAttachment(field: string, attachment: AttachmentDraft, named: NamedFiles, violations: Violations): NewAttachment {
  const { contentId, content, fileId } = attachment;
  const file = fileId === '' ? undefined : checkFile(field, attachment, named, violations);
  const filename = attachment.filename || file?.filename || '';
  const contentType = attachment.contentType || file?.contentType || 'application/octet-stream';
  // Whether a file that is not there has a name is not known.
  if (filename === '' && (fileId === '' || file)) violations.add(`${field}.filename`, 'is required');
  else checkFilename(`${field}.filename`, filename, violations);
  checkContentType(`${field}.content_type`, contentType, violations);
  if (contentId !== '' && (contentId.length > MAX_CONTENT_ID || !CONTENT_ID.test(contentId))) {
    violations.add(`${field}.content_id`, `must be at most ${MAX_CONTENT_ID} printable ASCII characters without < and >`);
  }
  return { filename, contentType, contentId, content: file ?? content };
}

function checkFile(
  field: string,
  { content, fileId }: AttachmentDraft,
  { complete, unfinished }: NamedFiles,
  violations: Violations,
): StoredFile | undefined {
  const uuid = fileUuid(fileId) ?? '';
  const file = complete.get(uuid);
  if (content.length > 0) violations.add(`${field}.file_id`, 'excludes content: give one of them');
  else if (unfinished.has(uuid)) violations.add(`${field}.file_id`, 'is an upload that is not complete');
  else if (!file) violations.add(`${field}.file_id`, NO_FILE_OF_YOURS);
  return file;
}
