import { z } from 'zod';
import { answeredRef, requestRef } from '../http/request-ref';
import { problem } from '../problem/problem.schema';
import { int64 } from '../http/field.schema';
import { documentToIndex } from './document.schema';

/** A line that is a document, as it is put alone. */
export const documentLine = documentToIndex
  .extend({ request_ref: requestRef() })
  .meta({ id: 'DocumentLine', required: ['id'], description: 'A document to put.' });

export const deletionLine = z
  .strictObject({
    delete: z.string().meta({ description: 'The id of a document to delete.', examples: ['doc_1'] }),
    version: int64().default(0).meta({ description: 'As in `DELETE`.' }),
    request_ref: requestRef(),
  })
  .meta({ id: 'DeletionLine', description: 'A document to delete.' });

export const bulkLine = z.union([documentLine, deletionLine]).meta({ id: 'DocumentBulkLine', description: 'One line of the request.' });

export const bulkAnswer = z
  .object({
    request_ref: answeredRef('lines without an answer may be sent again'),
    id: z
      .string()
      .optional()
      .meta({ examples: ['doc_1'] }),
    status: z
      .string()
      .optional()
      .meta({ description: '`created`, `updated`, `deleted` or `unchanged`.', examples: ['created'] }),
    problem: problem.optional(),
  })
  .meta({ id: 'DocumentBulkAnswer', description: 'One line of the answer: `problem`, or what became of the document.' });
