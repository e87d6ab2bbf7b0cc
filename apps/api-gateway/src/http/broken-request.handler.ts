import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { requestIdFrom, REQUEST_ID, RuleError } from '@sky-genesis/grpc';
import { problemOf } from '../problem/problem.mapper';
import { PROBLEM_JSON } from '../problem/problem.schema';

/** Answers what Node could not read as an HTTP request, and so never became one: by hand, on the bare connection. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isBeingAnswered(socket)) {
    socket.destroy();
    return;
  }
  const requestId = requestIdFrom(undefined);
  const { status, rule } = whatIsWrong(error.code);
  const body = JSON.stringify({ ...problemOf(rule, requestId), status, title: STATUS_CODES[status] });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${PROBLEM_JSON}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `${REQUEST_ID}: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** An answer that has begun cannot become another: what reads it must see that it was cut. */
const isBeingAnswered = (socket: Socket): boolean =>
  (socket as { _httpMessage?: { headersSent: boolean } | null })._httpMessage?.headersSent === true;

function whatIsWrong(code: string | undefined): { status: number; rule: RuleError } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, rule: new RuleError('METADATA_TOO_LARGE') };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, rule: new RuleError('DEADLINE_EXCEEDED', 'the request did not arrive in time') };
    default:
      return { status: 400, rule: new RuleError('MALFORMED_REQUEST', 'not a valid HTTP request') };
  }
}
