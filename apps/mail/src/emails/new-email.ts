import type { StoredFile } from '../files/stored-file';

/** What a mail says and whom it names, as its caller wrote it. */
interface EmailContent {
  from: string;
  to: readonly string[];
  cc: readonly string[];
  bcc: readonly string[];
  replyTo: readonly string[];
  subject: string;
  body: string;
  htmlBody: string;
  headers: Readonly<Record<string, string>>;
  metadata: Readonly<Record<string, string>>;
}

/** A mail as a caller hands it in, the same from every wire, not yet checked. Times are unix seconds; 0 and '' mean not given. */
export interface EmailDraft extends EmailContent {
  attachments: readonly AttachmentDraft[];
  /** int64 as the wire gives it: decimal text. */
  sendAt: string;
  expiresAt: string;
  /** hold, resend, '' for the server's default, or something else that is refused. */
  onUncertain: string;
}

export interface AttachmentDraft {
  filename: string;
  contentType: string;
  contentId: string;
  content: Uint8Array;
  fileId: string;
}

export type RecipientKind = 'to' | 'cc' | 'bcc';

/** A mail that has passed every rule, as it will be stored. */
export interface NewEmail extends EmailContent {
  id: string;
  tenant: string;
  createdAt: Date;
  /** The address in `from`. */
  fromAddress: string;
  attachments: readonly NewAttachment[];
  /** Each address once, however often and under whichever heading it was named. */
  recipients: readonly { address: string; kind: RecipientKind }[];
  sendAt: Date | undefined;
  expiresAt: Date;
  onUncertain: 'hold' | 'resend' | undefined;
  idempotency: { key: string; fingerprint: Buffer } | undefined;
}

export interface NewAttachment extends Omit<AttachmentDraft, 'fileId' | 'content'> {
  /** Its bytes, which are stored with the mail, or the file that they are in. */
  content: Uint8Array | StoredFile;
}

/** What a caller is told once the mail is durable. */
export interface AcceptedEmail {
  id: string;
  status: 'queued' | 'scheduled';
  acceptedAt: Date;
  /** The answer belongs to an earlier request with the same idempotency key. */
  replayed: boolean;
}

export const initialStatus = ({ sendAt, createdAt }: Pick<NewEmail, 'sendAt' | 'createdAt'>): AcceptedEmail['status'] =>
  sendAt && sendAt > createdAt ? 'scheduled' : 'queued';
