import { z } from 'zod';
import { INT32_MAX, int64, queryText } from '../http/field.schema';

/** Where a file is put by its name: the router's own error for one that is too long is told from it. */
export const FILE_BY_NAME = 'api/v1/files/by-name';

const filename = 'The name of the file: 255 characters at most, no path and no control characters.';

export const fileId = z.strictObject({
  id: z.string().meta({ description: 'The `file_id`, with or without `file_`.', examples: ['file_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
});

export const attachmentPlace = z.strictObject({
  id: z.string().meta({ description: 'The `message_id`, with or without `msg_`.', examples: ['msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
  n: z
    .string()
    .regex(/^\d{1,10}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().max(INT32_MAX))
    .meta({ type: 'integer', description: 'Which attachment of the email, counted from 0.', examples: [0] }),
});

export const filenameInPath = z.strictObject({
  filename: z.string().meta({ description: `${filename} Percent-encoded.`, examples: ['report.pdf'] }),
});

export const filenameInQuery = z.strictObject({
  filename: queryText().meta({ description: `${filename} For clients that do not send \`Content-Disposition\`, which wins.` }),
});

export const uploadedFile = z
  .object({
    file_id: z
      .string()
      .meta({ description: 'To name in `attachments`, and to download.', examples: ['file_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f'] }),
    size: int64().meta({ description: 'Bytes.', examples: [48213] }),
    sha256: z.string().meta({
      description: 'Of what was stored, in hex.',
      examples: ['e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    }),
  })
  .meta({ id: 'UploadedFile', description: 'A file that is stored.' });

export type UploadedFile = z.output<typeof uploadedFile>;
