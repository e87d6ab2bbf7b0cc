import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type CallOptions, InvalidArgumentError } from '@sky-genesis/grpc';
import type { FastifyRequest } from 'fastify';

const requestOf = (context: ExecutionContext): FastifyRequest => context.switchToHttp().getRequest<FastifyRequest>();

/** What a request says about the call behind it: on whose behalf, and how long it may take (`Request-Timeout`, seconds). */
export const ForCall = createParamDecorator((_: unknown, context: ExecutionContext): CallOptions => {
  const { headers } = requestOf(context);
  return { authorization: headers.authorization, timeoutMs: timeoutFrom(headers['request-timeout']) };
});

function timeoutFrom(given: string | string[] | undefined): number | undefined {
  if (given === undefined) return undefined;
  const seconds = typeof given === 'string' && /^\d{1,9}(\.\d{1,9})?$/.test(given) ? Number(given) : 0;
  if (seconds > 0) return Math.ceil(seconds * 1000);
  throw new InvalidArgumentError([{ field: 'Request-Timeout', description: 'must be a number of seconds greater than 0, such as 2.5' }]);
}

/** The `Idempotency-Key` header; empty where none is given. Its length and characters are the service's rule. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const [key, another] = requestOf(context).raw.headersDistinct['idempotency-key'] ?? [undefined];
  if (key === undefined) return '';
  if (key !== '' && another === undefined) return key;
  const description = key === '' ? 'must not be empty' : 'must be given once';
  throw new InvalidArgumentError([{ field: 'Idempotency-Key', description }]);
});
