import type { MailConfig } from '../../mail.config';

export type S3Settings = Pick<
  MailConfig,
  | 'S3_ENDPOINT'
  | 'S3_REGION'
  | 'S3_BUCKET'
  | 'S3_KEY_PREFIX'
  | 'S3_ACCESS_KEY_ID'
  | 'S3_SECRET_ACCESS_KEY'
  | 'S3_PATH_STYLE'
  | 'FILES_MAX_BYTES'
>;
