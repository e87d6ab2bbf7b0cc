import { X509Certificate } from 'node:crypto';
import { type Environment, flag, integer, optional, readConfig } from '@sky-genesis/config';
import { isServiceAddress } from '@sky-genesis/grpc';
import { listenSettings, serviceRules, serviceSettings } from '@sky-genesis/service';
import { z } from 'zod';
import { parseRelays } from './delivery/relay-list';
import { MailboxError, parseMailbox } from './emails/mailbox';

export const mailSettings = z.object({
  ...listenSettings(50_051, 3001),
  GRPC_STREAM_IDLE_TIMEOUT: integer(1, 86_400, 120).describe(
    'Seconds after which SubmitEmails is ended when no message came and nothing is under way; UploadFile when no message came; DownloadFile when none was taken.',
  ),

  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).describe('PostgreSQL, such as postgres://user:password@host:5432/mail.'),
  DATABASE_POOL_SIZE: integer(4, 200, 12).describe('Connections to PostgreSQL of one process, at most.'),

  MAIL_RELAY_URL: z
    .string()
    .check(relays)
    .default('smtp://127.0.0.1:2525')
    .describe(
      'The relay: smtp://user:password@host:587 (STARTTLS where the relay offers it) or smtps://host:465. Several, separated by spaces: the first that can be reached takes the mails. Each may have ?connections=N and &rate=N (mails a second of one process).',
    ),
  MAIL_RELAY_REQUIRE_TLS: flag(false).describe(
    'Refuses a relay without TLS. Always so for a relay whose URL holds a password and that is not on loopback.',
  ),
  MAIL_RELAY_CA: optional()
    .refine(isCertificate, 'must be certificates as PEM')
    .describe('PEM of the certificate authorities that the relay may be signed by, instead of the public ones.'),
  MAIL_RELAY_CONNECTIONS: integer(1, 200, 20).describe(
    'SMTP connections of one process to a relay, at most, and so mails under way. One tenant holds three quarters of them at most, one slow destination a quarter.',
  ),
  MAIL_RELAY_TIMEOUT_SECONDS: integer(1, 900, 300).describe('How long the relay may be silent within a conversation.'),
  MAIL_RELAY_EHLO_NAME: optional().describe('The name given in EHLO. Empty: the host name of this machine.'),
  MAIL_RETURN_PATH: optional()
    .refine(isAddress, 'must be an address such as bounces@example.com')
    .describe('The envelope sender of every mail (where bounces go). Empty: the address in `from`.'),
  MAIL_WORKER: flag(true).describe('Whether this process delivers, beside accepting.'),
  MAIL_RETRY_BASE_SECONDS: integer(1, 3600, 15).describe(
    'The wait after the first deferral; it triples with each further one, with jitter.',
  ),
  MAIL_RETRY_MAX_SECONDS: integer(1, 86_400, 3600).describe('The longest wait between two attempts.'),
  MAIL_EXPIRY_SECONDS: integer(60, 2_592_000, 259_200).describe(
    'When recipients not reached are given up, unless the mail says expires_at.',
  ),
  MAIL_ON_UNCERTAIN: z
    .enum(['hold', 'resend'])
    .default('resend')
    .describe('What to do where a relay may or may not have taken a mail: hold (never twice) or resend (never lost).'),
  MAIL_OVERDUE_SECONDS: integer(5, 86_400, 60).describe(
    'How long a due mail, or one whose worker is gone, may wait for a worker before an error line and a gauge tell it.',
  ),
  MAIL_UNCERTAIN_OVERDUE_SECONDS: integer(5, 2_592_000, 86_400).describe(
    'How long a mail in doubt may wait for somebody to resolve it before an error line and a gauge tell it.',
  ),

  MAIL_MAX_RECIPIENTS: integer(1, 10_000, 1000).describe('Recipients of one mail (to, cc and bcc together).'),
  MAIL_MAX_TEXT_BYTES: integer(1024, 33_554_432, 2_097_152).describe('body plus html_body of one mail, in bytes.'),
  MAIL_MAX_ATTACHMENTS: integer(0, 1000, 100).describe('Attachments of one mail.'),
  MAIL_MAX_ATTACHMENT_BYTES: integer(1024, 1_073_741_824, 52_428_800).describe(
    'All attachments of one mail, in bytes, before they are encoded (base64 makes a third more of it).',
  ),
  MAIL_MAX_HEADERS: integer(0, 1000, 64).describe('Entries in `headers`, and in `metadata`, of one mail.'),
  MAIL_MAX_HEADER_BYTES: integer(256, 65_536, 16_384).describe('All of `headers`, and all of `metadata`, of one mail, in bytes.'),
  MAIL_MAX_QUEUED_PER_TENANT: integer(1, 100_000_000, 1_000_000).describe(
    'Undelivered mails of one tenant, to within the batches under way. More are refused as QUEUE_FULL.',
  ),

  FILES_STORE: z.enum(['local', 's3']).default('local').describe('Where the bytes of files are kept: in a folder, or in an S3 bucket.'),
  FILES_DIR: z.string().default('files').describe('The folder that FILES_STORE=local keeps them in. It is made when it is not there.'),
  FILES_SHARED: flag(false).describe(
    'Every instance of mail sees the same FILES_DIR. Without it, FILES_STORE=local lets one instance run on a database.',
  ),
  FILES_MAX_BYTES: integer(1, 5_497_558_138_880, 5_368_709_120).describe('The largest file, in bytes.'),
  FILES_MAX_BYTES_PER_TENANT: integer(1, Number.MAX_SAFE_INTEGER, 107_374_182_400).describe(
    'What all files of one tenant may take, in bytes; the same content counts once, an unfinished upload as what it announced.',
  ),
  FILES_MAX_UPLOADS_PER_TENANT: integer(1, 100_000, 1000).describe('Unfinished uploads of one tenant.'),
  FILES_UPLOAD_EXPIRY_SECONDS: integer(1, 31_536_000, 86_400).describe(
    'When an unfinished upload is dropped: after so long without a byte.',
  ),
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('The S3 server of FILES_STORE=s3, such as https://s3.example:9000. Empty: AWS.'),
  S3_REGION: z.string().default('us-east-1').describe('The region of the bucket.'),
  S3_BUCKET: optional().describe('The bucket. It must be there; needed with FILES_STORE=s3.'),
  S3_KEY_PREFIX: z.string().default('').describe('What the keys of all objects begin with.'),
  S3_ACCESS_KEY_ID: optional().describe('The access key. Empty: as the AWS SDK finds its credentials (roles of Kubernetes or EC2).'),
  S3_SECRET_ACCESS_KEY: optional().describe('The secret of that key.'),
  S3_PATH_STYLE: flag(true).describe('Whether the bucket stands in the path of a request, not in the host name.'),

  EVENT_RETENTION_DAYS: integer(1, 3650, 30).describe('How long events are kept. A cursor from before is told as CURSOR_OUT_OF_RANGE.'),
  GRPC_SEARCH_SERVICE_ADDR: optional()
    .check(isServiceAddress)
    .describe(
      'The search service, which is told of every mail: host:port, several separated by commas, dns:///name:port or etcd:///search. Empty: none is.',
    ),
  SEARCH_FEED: flag(true).describe('Whether this process may be the one that tells search, where there is one. It needs SERVICE_KEY.'),
  ...serviceSettings,
});

export type MailConfig = z.infer<typeof mailSettings>;

/** @throws ConfigError with every fault, each by the name of its variable */
export function readMailConfig(environment: Environment): MailConfig {
  return readConfig(
    mailSettings
      .check(...serviceRules)
      .check(feedRules)
      .check(storeRules),
    environment,
  );
}

/** Search takes mails from the product's own services only. */
const feedRules = z.superRefine<Partial<z.infer<typeof mailSettings>>>(
  ({ GRPC_SEARCH_SERVICE_ADDR, SEARCH_FEED, SERVICE_KEY }, report) => {
    if (GRPC_SEARCH_SERVICE_ADDR === undefined || SEARCH_FEED === false || SERVICE_KEY !== undefined) return;
    const message = 'is needed to tell search of mails (GRPC_SEARCH_SERVICE_ADDR); SEARCH_FEED=false leaves that to others';
    report.addIssue({ code: 'custom', path: ['SERVICE_KEY'], message });
  },
  { when: () => true },
);

const storeRules = z.superRefine<Partial<z.infer<typeof mailSettings>>>(
  ({ FILES_STORE, S3_BUCKET, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY }, report) => {
    const fault = (name: string, message: string) => report.addIssue({ code: 'custom', path: [name], message });
    if (FILES_STORE === 's3' && S3_BUCKET === undefined) fault('S3_BUCKET', 'is needed with FILES_STORE=s3');
    if (S3_ACCESS_KEY_ID !== undefined && S3_SECRET_ACCESS_KEY === undefined)
      fault('S3_SECRET_ACCESS_KEY', 'is needed with S3_ACCESS_KEY_ID');
    if (S3_SECRET_ACCESS_KEY !== undefined && S3_ACCESS_KEY_ID === undefined)
      fault('S3_ACCESS_KEY_ID', 'is needed with S3_SECRET_ACCESS_KEY');
  },
  { when: () => true },
);

function relays({ value, issues }: z.core.ParsePayload<string>): void {
  try {
    parseRelays(value);
  } catch (error) {
    issues.push({ code: 'custom', input: value, message: (error as Error).message });
  }
}

function isCertificate(pem: string | undefined): boolean {
  try {
    return pem === undefined || new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

/** A bare address: it stands in the envelope. */
function isAddress(text: string | undefined): boolean {
  try {
    return text === undefined || parseMailbox(text).address === text;
  } catch (error) {
    if (error instanceof MailboxError) return false;
    throw error;
  }
}
