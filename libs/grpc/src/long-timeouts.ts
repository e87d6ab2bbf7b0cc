import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers';

const GRPC_TIMEOUT = 'grpc-timeout';
/** The longest that setTimeout waits, in seconds: 24.8 days. */
const LONGEST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
const SECONDS: Record<string, number> = { H: 3600, M: 60, S: 1 };

/**
 * Shortens what callers give a call to what a timer can wait for. grpc-js reckons in 32 bits: with more time than that, which
 * the protocol allows (8 digits of hours), a call is over when it begins. It reads the header when the stream comes, before
 * any interceptor.
 */
export function boundTimeouts(server: Server): void {
  for (const listening of http2ServersOf(server)) {
    listening.prependListener('stream', (_stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const given = headers[GRPC_TIMEOUT];
      if (typeof given === 'string') headers[GRPC_TIMEOUT] = boundTimeout(given);
    });
  }
}

/** @param given as the protocol writes it: digits, and a unit */
export function boundTimeout(given: string): string {
  const [, digits, unit = ''] = /^(\d{1,8})([HMS])$/.exec(given) ?? [];
  return digits !== undefined && Number(digits) * SECONDS[unit]! > LONGEST_SECONDS ? `${LONGEST_SECONDS}S` : given;
}
