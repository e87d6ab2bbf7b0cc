import { z } from 'zod';
import { INT32_MAX, int64, queryNumber, queryText } from '../http/field.schema';

const texts = () => z.array(z.string()).default([]);
const textMap = () => z.record(z.string(), z.string()).default({});

/** Base64 as RFC 4648 writes it, with its padding and nothing else; read as bytes. */
const base64 = () =>
  z.string().transform((text, context) => {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.toString('base64') === text) return bytes;
    context.addIssue({ code: 'custom', message: 'must be base64 (RFC 4648, with padding)' });
    return z.NEVER;
  });

const attachmentBody = z
  .strictObject({
    filename: z
      .string()
      .default('')
      .meta({
        description: 'The name that the recipient sees. May be left out with `file_id`: that of the file.',
        examples: ['report.pdf'],
      }),
    content_type: z
      .string()
      .default('')
      .meta({ description: 'Its media type. Left out: that of the file, else `application/octet-stream`.', examples: ['application/pdf'] }),
    content: base64()
      .optional()
      .meta({
        description: 'The bytes, in base64, of small attachments. Above 256 KiB they become a file by themselves.',
        contentEncoding: 'base64',
        examples: ['SGVsbG8='],
      }),
    file_id: z.string().default('').meta({
      description: 'A file uploaded before, and complete, instead of `content`. All attachments of a mail together: 50 MiB by default.',
    }),
    content_id: z
      .string()
      .default('')
      .meta({
        description: 'Makes it a part that the HTML body refers to as `cid:<content_id>`.',
        examples: ['logo'],
      }),
  })
  .meta({ id: 'AttachmentToSend' });

const options = {
  cc: texts().meta({ description: 'Recipients whom everyone sees.', examples: [['copy@example.com']] }),
  bcc: texts().meta({ description: 'Recipients whom nobody sees.' }),
  reply_to: texts().meta({ description: 'Where answers go.' }),
  html_body: z
    .string()
    .default('')
    .meta({ description: 'The same message as HTML.', examples: ['<p>Message content</p>'] }),
  headers: textMap().meta({ description: 'Further headers of the mail.', examples: [{ 'X-Campaign': 'spring' }] }),
  send_at: int64().default(0).meta({ description: 'Not before this time, in unix seconds. 0: now.' }),
  metadata: textMap().meta({ description: 'Your own values: returned and searchable, never sent.', examples: [{ order: '4711' }] }),
  on_uncertain: z.enum(['hold', 'resend']).optional().meta({
    description:
      'What to do when the relay may or may not have taken the mail. `hold`: never twice, stays `uncertain`. `resend`: never lost, may arrive twice.',
  }),
  expires_at: int64()
    .default(0)
    .meta({ description: "Gives up on recipients not reached by then, in unix seconds. 0: the server's default." }),
};

/** Types and shapes only: what an address or a header may be is the mail service's rule, told in its answer. */
export const sendEmailBody = z
  .strictObject({
    from: z
      .string()
      .default('')
      .meta({
        description: 'A mailbox: `a@example.com` or `Name <a@example.com>`. Left out: the first sender of your token.',
        examples: ['sender@example.com'],
      }),
    to: texts().meta({ description: 'At least one recipient.', examples: [['recipient@example.com']] }),
    subject: z
      .string()
      .default('')
      .meta({ examples: ['Hello'] }),
    body: z
      .string()
      .default('')
      .meta({ description: 'The message as plain text.', examples: ['Message content'] }),
    attachments: z.array(attachmentBody).default([]),
    ...options,
  })
  // A mail without recipients is answered by the service, together with all that is wrong beside.
  .meta({ id: 'EmailToSend', required: ['to'] });

export type SendEmailBody = z.output<typeof sendEmailBody>;

export const submitted = z
  .object({
    message_id: z.string().meta({ description: 'Ask for the email by it.', examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    status: z.string().meta({ description: '`queued`, or `scheduled` for one with `send_at`.', examples: ['queued'] }),
    timestamp: int64().meta({ description: 'When it was accepted, in unix seconds.', examples: [1640995200] }),
  })
  .meta({ id: 'SubmittedEmail' });

const attachment = z
  .object({
    filename: z.string(),
    content_type: z.string(),
    file_id: z
      .string()
      .optional()
      .meta({ description: 'Of one that is a file.', examples: ['file_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    content_id: z.string().optional(),
    size: int64().meta({ description: 'Bytes.' }),
  })
  .meta({ id: 'Attachment' });

const RECIPIENT_STATES =
  '`scheduled` `queued` `sending` `deferred` `sent` `delivered` `uncertain`, and for good: `bounced` `complained` `suppressed` `canceled` `expired` `failed`. The list may grow.';

const recipient = z
  .object({
    address: z.string().meta({ examples: ['recipient@example.com'] }),
    kind: z.string().meta({ description: '`to`, `cc` or `bcc`.', examples: ['to'] }),
    status: z.string().meta({ description: RECIPIENT_STATES, examples: ['sent'] }),
    attempts: z
      .int()
      .min(0)
      .meta({ examples: [1] }),
    last_reply: z
      .string()
      .optional()
      .meta({ description: "The relay's last reply, as it gave it.", examples: ['250 2.0.0 Ok: queued'] }),
    next_attempt_at: int64().optional().meta({ description: 'Unix seconds.' }),
    updated_at: int64().meta({ description: 'Unix seconds.', examples: [1640995201] }),
    enhanced_code: z
      .string()
      .optional()
      .meta({ description: 'RFC 3463.', examples: ['2.0.0'] }),
    reason: z.string().optional().meta({ description: 'Why, in a stable word.' }),
  })
  .meta({ id: 'Recipient' });

const attempt = z
  .object({
    started_at_ms: int64().meta({ description: 'Unix milliseconds.', examples: [1640995200500] }),
    duration_ms: int64().meta({ examples: [42] }),
    relay: z.string().meta({ examples: ['localhost:2525'] }),
    outcome: z
      .string()
      .meta({ description: '`accepted` `refused` `deferred` `uncertain` or `connection_failed`.', examples: ['accepted'] }),
    reply: z
      .string()
      .optional()
      .meta({ examples: ['250 2.0.0 Ok: queued'] }),
    tls_version: z
      .string()
      .optional()
      .meta({ examples: ['TLSv1.3'] }),
  })
  .meta({ id: 'Attempt' });

export const email = z
  .object({
    id: z.string().meta({ examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    from: z.string().meta({ examples: ['sender@example.com'] }),
    to: z.array(z.string()).meta({ examples: [['recipient@example.com']] }),
    subject: z.string().meta({ examples: ['Hello'] }),
    body: z.string().meta({ examples: ['Message content'] }),
    timestamp: int64().meta({ description: 'When it was accepted, in unix seconds.', examples: [1640995200] }),
    cc: z.array(z.string()).optional(),
    bcc: z.array(z.string()).optional(),
    reply_to: z.array(z.string()).optional(),
    html_body: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    send_at: int64().optional(),
    metadata: z.record(z.string(), z.string()).optional(),
    on_uncertain: z.string().optional(),
    expires_at: int64().optional(),
    attachments: z.array(attachment),
    status: z.string().meta({
      description:
        'The first of these that a recipient has: `sending` `deferred` `queued` `scheduled` `uncertain` `bounced` `complained` `failed` `expired` `suppressed` `canceled` `sent` `delivered`.',
      examples: ['sent'],
    }),
    recipients: z.array(recipient).meta({ description: 'What became of the email, for each recipient.' }),
    attempts: z.array(attempt).meta({ description: 'The latest 50, newest first.' }),
  })
  .meta({ id: 'Email', description: 'An email as it was accepted, and what became of it. Options that are not set are left out.' });

export const emailId = z.strictObject({
  id: z.string().meta({ description: 'The `message_id`, with or without `msg_`.', examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
});

/** Times are unix seconds. */
export const listEmailsQuery = z.strictObject({
  page_size: queryNumber(INT32_MAX).meta({ description: '1 to 100. Left out: 20.', examples: [20] }),
  page_token: queryText().meta({ description: '`next_page_token` of the page before.' }),
  status: queryText().meta({ description: 'Only emails in this state.', examples: ['sent'] }),
  from: queryText().meta({ description: 'Only emails from this address.' }),
  to: queryText().meta({ description: 'Only emails to this address.' }),
  created_after: queryNumber(Number.MAX_SAFE_INTEGER).meta({ description: 'Unix seconds.' }),
  created_before: queryNumber(Number.MAX_SAFE_INTEGER).meta({ description: 'Unix seconds.' }),
  subject: queryText().meta({ description: 'Words in the subject.' }),
});

export type ListEmailsQuery = z.output<typeof listEmailsQuery>;

export const emailList = z
  .object({
    emails: z.array(
      z
        .object({
          id: z.string().meta({ examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
          from: z.string().meta({ examples: ['sender@example.com'] }),
          to: z.array(z.string()).meta({ examples: [['recipient@example.com']] }),
          subject: z.string().meta({ examples: ['Hello'] }),
          snippet: z.string().meta({ description: 'How the text begins.', examples: ['Message content'] }),
          timestamp: int64().meta({ examples: [1640995200] }),
          attachment_count: z
            .int()
            .min(0)
            .meta({ examples: [0] }),
          status: z.string().meta({ examples: ['sent'] }),
        })
        .meta({ id: 'EmailSummary' }),
    ),
    next_page_token: z.string().optional().meta({ description: 'Left out on the last page.' }),
  })
  .meta({ id: 'EmailList', description: 'Newest first.' });

export const resolveEmailBody = z
  .strictObject({
    resolution: z.enum(['sent', 'resend', 'failed']).meta({
      description: '`sent`: it arrived. `resend`: it did not, and is tried again. `failed`: it is given up.',
      examples: ['sent'],
    }),
    recipient: z
      .string()
      .default('')
      .meta({ description: 'Only this address. Left out: every recipient that is `uncertain`.', examples: ['recipient@example.com'] }),
    note: z
      .string()
      .default('')
      .meta({ description: 'Who found out, and how: one line, 512 bytes at most.', examples: ['The recipient has it.'] }),
  })
  .meta({ id: 'Resolution' });

export type ResolveEmailBody = z.output<typeof resolveEmailBody>;

export const resolved = z.object({ status: z.string().meta({ examples: ['sent'] }) }).meta({ id: 'ResolvedEmail' });

export const canceled = z.object({ status: z.string().meta({ examples: ['canceled'] }) }).meta({ id: 'CanceledEmail' });

/** For a route without parameters, or without a body: what is given is refused by name. */
export const nothing = z.strictObject({});
export const noBody = nothing.optional();
