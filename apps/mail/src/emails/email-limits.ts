/** What one mail may hold. Each bound is a setting (MAIL_MAX_...) or follows from a standard. */
export class EmailLimits {
  constructor(
    readonly recipients: number,
    /** body plus html_body. */
    readonly textBytes: number,
    readonly attachments: number,
    /** All of them together, before they are encoded; also those that are files. */
    readonly attachmentBytes: number,
    /** Entries of `headers`, and of `metadata`. */
    readonly headers: number,
    readonly headerBytes: number,
    /** When recipients not reached are given up, unless the mail says so: seconds after it is due. */
    readonly expirySeconds: number,
  ) {}
}

/** RFC 5322, 2.1.1: a line has at most 998 characters, and so has a value that cannot be folded, with a space before it. */
export const MAX_SUBJECT = 997;
export const MAX_HEADER_VALUE = 997;
export const MAX_HEADER_NAME = 76;
export const MAX_METADATA_VALUE = 1024;
export const MAX_CONTENT_ID = 255;
export const MAX_REPLY_TO = 20;
/** RFC 5321, 4.5.4.1 speaks of days; a month is the most that anyone waits for a mail. */
export const MAX_SCHEDULE_SECONDS = 366 * 86_400;
export const MAX_EXPIRY_SECONDS = 30 * 86_400;
/** The contract's int64: what a JSON number holds. */
export const MAX_TIME = Number.MAX_SAFE_INTEGER;
export const MAX_IDEMPOTENCY_KEY = 255;
