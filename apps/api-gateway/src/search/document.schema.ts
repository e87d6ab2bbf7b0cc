import { z } from 'zod';
import { int64, queryNumber } from '../http/field.schema';

const value = { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] };

/** One value or a list of them, read as a list of text. */
const valuesOf = z
  .unknown()
  .transform((given, context) => {
    [given].flat(1).forEach((each, at) => {
      const message = faultOf(each);
      if (message !== undefined) context.addIssue({ code: 'custom', message, path: Array.isArray(given) ? [at] : [] });
    });
    return [given].flat(1).map(String);
  })
  .meta({
    description: 'Text or a list of it. Numbers, true and false count as they are written.',
    anyOf: [...value.anyOf, { type: 'array', items: value }],
    examples: ['it', ['it', 'sales']],
  });

/** Text of a number is what anyone would write, and tells that number. */
const PLAIN = /^-?\d+(\.\d+)?$/;

function faultOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value !== 'number') return 'must be text, a number, true or false, or a list of these';
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER && PLAIN.test(String(value))) return undefined;
  return 'must be given as text: as a number it loses digits, or is written with an exponent';
}

/** Types and shapes only: bounds are the search service's rule, told in its answer. */
const fields = {
  title: z
    .string()
    .default('')
    .meta({ description: 'One line, 998 characters at most.', examples: ['Enterprise Architecture'] }),
  content: z
    .string()
    .default('')
    .meta({ description: 'The text to find it by: 1 MiB at most.', examples: ['Enterprise architecture overview...'] }),
  url: z
    .string()
    .default('')
    .meta({ description: 'Where the document is: 2048 characters at most.', examples: ['/docs/architecture'] }),
  attributes: z
    .record(z.string(), valuesOf)
    .default({})
    .meta({
      description:
        'Your own fields to filter and count by: 64 names (1 to 128 of `A-Z a-z 0-9 _ . -`), 1000 values of 1024 bytes each, 128 KiB in all. Answers have lists always.',
      examples: [{ department: 'it', tags: ['architecture', 'overview'] }],
    }),
  timestamp: int64()
    .default(0)
    .meta({
      description: "The document's own time, in unix seconds: to sort and filter by.",
      examples: [1640995200],
    }),
  version: int64()
    .default(0)
    .meta({
      description:
        "The higher one wins; what arrives with the same or a lower one changes nothing, also for 7 days after a deletion. 0: the server's clock in milliseconds.",
      examples: [1],
    }),
};

const id = z.string().meta({
  description: "Your own, 1 to 256 bytes; not beginning with `msg_`, `file_` or `evt_`, which are the product's own.",
  examples: ['doc_1'],
});

/** The path has the id; what was made for POST may be put as well, if it says the same. */
export const documentToPut = z.strictObject({ id: id.optional(), ...fields }).meta({ id: 'DocumentToPut' });
export const documentToIndex = z.strictObject({ id: id.default(''), ...fields }).meta({ id: 'DocumentToIndex', required: ['id'] });

export type DocumentToPut = z.output<typeof documentToPut>;
export type DocumentToIndex = z.output<typeof documentToIndex>;

export const documentId = z.strictObject({ id });

export const deletionQuery = z.strictObject({
  version: queryNumber(Number.MAX_SAFE_INTEGER).meta({
    description: "A document of a higher version stays, and one of the same or a lower version stays away. Left out: the server's clock.",
    examples: [2],
  }),
});

export type DeletionQuery = z.output<typeof deletionQuery>;

export const indexed = z
  .object({
    id: z.string().meta({ examples: ['doc_1'] }),
    status: z
      .string()
      .meta({ description: '`created`, `updated`, or `unchanged`: one of a higher or the same version is there.', examples: ['created'] }),
  })
  .meta({ id: 'IndexedDocument' });

export const deleted = z
  .object({ deleted: z.boolean().meta({ description: 'Whether there was such a document.', examples: [true] }) })
  .meta({ id: 'DeletedDocument' });
