import { z } from 'zod';
import { problem } from '../problem/problem.schema';
import { sendEmailBody, submitted } from './mail.schema';

// eslint-disable-next-line no-control-regex -- control characters are what it excludes
export const REQUEST_REF = /^[^\u0000-\u001f\u007f-\u009f]{1,255}$/;

/** A line of the request: an email as it is sent alone, and what its answer is matched by. */
export const bulkLine = sendEmailBody
  .extend({
    idempotency_key: z
      .string()
      .min(1, 'must not be empty')
      .optional()
      .meta({
        description: 'As the header `Idempotency-Key` of an email that is sent alone: 1 to 255 printable ASCII characters.',
        examples: ['order-4711'],
      }),
    request_ref: z
      .string()
      .regex(REQUEST_REF, 'must be 1 to 255 characters, none of them a control character')
      .optional()
      .meta({
        description: 'Your own name of the line, by which its answer is matched. Left out: its number, from 1.',
        examples: ['4711'],
      }),
  })
  .meta({ id: 'EmailToSendInBulk', required: ['to'], description: 'One line of the request.' });

/** A line of the answer. */
export const bulkAnswer = z
  .object({
    request_ref: z
      .string()
      .optional()
      .meta({
        description:
          'Of the line that is answered. Left out, in the last line: the request was not read to its end; lines without an answer are not accepted.',
        examples: ['4711'],
      }),
    message_id: submitted.shape.message_id.optional(),
    status: submitted.shape.status.optional(),
    timestamp: submitted.shape.timestamp.optional(),
    replayed: z.literal(true).optional().meta({ description: 'The answer belongs to an earlier request with this `idempotency_key`.' }),
    problem: problem.optional(),
  })
  .meta({ id: 'BulkAnswer', description: 'One line of the answer: `problem`, or what an email that is sent alone is answered with.' });

export type BulkAnswer = z.output<typeof bulkAnswer>;
