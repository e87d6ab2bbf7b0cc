import { z } from 'zod';
import { answeredRef, requestRef } from '../http/request-ref';
import { problem } from '../problem/problem.schema';
import { sendEmailBody, submitted } from './mail.schema';

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
    request_ref: requestRef(),
  })
  .meta({ id: 'EmailToSendInBulk', required: ['to'], description: 'One line of the request.' });

/** A line of the answer. */
export const bulkAnswer = z
  .object({
    request_ref: answeredRef('lines without an answer are not accepted'),
    message_id: submitted.shape.message_id.optional(),
    status: submitted.shape.status.optional(),
    timestamp: submitted.shape.timestamp.optional(),
    replayed: z.literal(true).optional().meta({ description: 'The answer belongs to an earlier request with this `idempotency_key`.' }),
    problem: problem.optional(),
  })
  .meta({ id: 'BulkAnswer', description: 'One line of the answer: `problem`, or what an email that is sent alone is answered with.' });
