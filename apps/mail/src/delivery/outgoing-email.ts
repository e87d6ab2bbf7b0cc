import type { RecipientKind } from '../emails/new-email';
import type { StoredStatus } from '../emails/recipient-states';
import type { StoredObject } from '../files/object.store';

/** A mail that a worker holds, with the recipients that have not reached the end of their way. */
export interface OutgoingEmail {
  tenant: string;
  id: string;
  /** The fence: an outcome counts only while the job still has this number. */
  attemptNo: number;
  /** A worker before this one held it and did not say what became of it. */
  takenOver: boolean;
  /** The worker before this one may have sent the final dot: when, to which relay, for the recipients at which positions. */
  dataSent: { at: Date; relay: string; positions: readonly number[] } | undefined;
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
  recipients: { position: number; address: string; kind: RecipientKind; attempts: number; status: StoredStatus }[];
}

export interface OutgoingAttachment {
  filename: string;
  contentType: string;
  contentId: string;
  /** The bytes, or where they are: of a file, which is never in memory as a whole. */
  content: Buffer | StoredObject;
}
