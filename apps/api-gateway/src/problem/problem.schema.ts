import { type ErrorReason, errorReasons } from '@sky-genesis/grpc';
import { z } from 'zod';

export const PROBLEM_JSON = 'application/problem+json';

const reasons = Object.keys(errorReasons) as [ErrorReason, ...ErrorReason[]];

/** What every error answer holds: RFC 9457, with the stable `code` that is ErrorInfo.reason on gRPC. */
export const problem = z
  .object({
    status: z.int().meta({ description: 'The HTTP status.', examples: [400] }),
    title: z.string().meta({ description: 'What the HTTP status means.', examples: ['Bad Request'] }),
    detail: z
      .string()
      .optional()
      .meta({
        description: 'What is wrong with this request, for a person. Its wording may change.',
        examples: ['to: at least one recipient is required'],
      }),
    code: z.enum(reasons).meta({
      description: `What is wrong, for a program: stable, and the same on gRPC (ErrorInfo.reason).\n\n${reasons
        .map((reason) => `- \`${reason}\`: ${errorReasons[reason].meaning}`)
        .join('\n')}`,
      examples: ['INVALID_ARGUMENT'],
    }),
    errors: z
      .array(
        z.object({
          field: z.string().meta({ description: 'The field, parameter or header.', examples: ['to[0]'] }),
          message: z.string().meta({ description: 'What it must be.', examples: ['must be an address'] }),
        }),
      )
      .optional()
      .meta({ description: 'Every field that is wrong; the first 32 of them.' }),
    facts: z
      .record(z.string(), z.string())
      .optional()
      .meta({
        description: 'What a program acts on, by name, such as `cursor`: where to go on from. As ErrorInfo.metadata on gRPC.',
        examples: [{ cursor: '4711' }],
      }),
    request_id: z.string().meta({ description: '`x-request-id` of the answer, under which the logs tell more.', examples: ['d2b4c1de'] }),
  })
  .meta({ id: 'Problem', description: 'Why a request was refused (RFC 9457).' });

export type Problem = z.infer<typeof problem>;
