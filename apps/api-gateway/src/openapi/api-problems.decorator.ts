import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { type ErrorReason, errorReasons } from '@sky-genesis/grpc';
import { httpStatusOf, titleOf } from '../problem/problem.mapper';
import { PROBLEM_JSON } from '../problem/problem.schema';

/** Documents the errors that a route can answer: one answer for each status, with an example for each code. */
export function ApiProblems(...reasons: readonly ErrorReason[]): MethodDecorator {
  const byStatus = new Map<number, ErrorReason[]>();
  for (const reason of reasons) {
    const status = httpStatusOf({ reason, code: errorReasons[reason].code });
    byStatus.set(status, [...(byStatus.get(status) ?? []), reason]);
  }
  return applyDecorators(...[...byStatus].map(([status, codes]) => answer(status, codes)));
}

function answer(status: number, codes: readonly ErrorReason[]): MethodDecorator {
  return ApiResponse({
    status,
    description: codes.map((code) => `\`${code}\`: ${errorReasons[code].meaning}`).join('\n\n'),
    ...(HEADERS[status] && { headers: HEADERS[status] }),
    content: {
      [PROBLEM_JSON]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleOf(status, code) }])),
      },
    },
  });
}

const exampleOf = (status: number, code: ErrorReason) => ({
  status,
  title: titleOf(status),
  ...(code !== 'INTERNAL' && {
    detail: code === 'INVALID_ARGUMENT' ? 'to: at least one recipient is required' : errorReasons[code].meaning,
  }),
  code,
  ...(code === 'INVALID_ARGUMENT' && { errors: [{ field: 'to', message: 'at least one recipient is required' }] }),
  request_id: 'd2b4c1de-4a0c-4c37-8d4e-0e3f1c0f6a55',
});

const retryAfter = {
  'Retry-After': {
    description: 'Seconds after which asking again makes sense, where that is known.',
    schema: { type: 'integer' as const },
  },
};

const HEADERS: Partial<Record<number, Record<string, { description: string; schema: { type: 'string' | 'integer' } }>>> = {
  401: {
    'WWW-Authenticate': { description: '`Bearer`, with `error="invalid_token"` where a token was given.', schema: { type: 'string' } },
  },
  403: { 'WWW-Authenticate': { description: 'Names the scope that is missing.', schema: { type: 'string' } } },
  429: retryAfter,
  503: retryAfter,
};
