import { randomUUID } from 'node:crypto';

export const REQUEST_ID = 'x-request-id';
export const TRACEPARENT = 'traceparent';

/** Takes over a caller's request id if it is short and harmless in a log line; makes one otherwise. */
export const requestIdFrom = (given: unknown): string =>
  typeof given === 'string' && /^[\w.:+/=@-]{1,128}$/.test(given) ? given : randomUUID();

/** The caller's traceparent (W3C Trace Context, version 00) or the start of a new trace. */
export const traceparentFrom = (given: unknown): string =>
  typeof given === 'string' && /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(given)
    ? given
    : `00-${hexDigits()}-${hexDigits().slice(16)}-00`;

/** 32, of which 122 bits are random: for a UUID Node draws from what it has in stock, for randomBytes it asks each time. */
const hexDigits = (): string => randomUUID().replaceAll('-', '');
