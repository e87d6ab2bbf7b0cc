import type { RecipientKind } from '../emails/new-email';

/** A mail that a worker holds, with the recipients still to be reached. */
export interface OutgoingEmail {
  tenant: string;
  id: string;
  /** The fence: an outcome counts only while the job still has this number. */
  attemptNo: number;
  /** A worker before this one held it and did not say what became of it. */
  takenOver: boolean;
  createdAt: Date;
  from: string;
  fromAddress: string;
  to: string[];
  cc: string[];
  replyTo: string[];
  subject: string;
  body: string;
  htmlBody: string;
  headers: Record<string, string>;
  sendAt: Date | undefined;
  expiresAt: Date;
  onUncertain: 'hold' | 'resend' | undefined;
  attachmentCount: number;
  recipients: { position: number; address: string; kind: RecipientKind; attempts: number }[];
}

export interface OutgoingAttachment {
  filename: string;
  contentType: string;
  contentId: string;
  content: Buffer;
}
