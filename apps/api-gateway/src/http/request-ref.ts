import { MessageTooLargeError, RuleError } from '@sky-genesis/grpc/rule-error';
import { z } from 'zod';
import { parseJson } from './json-body.mapper';
import type { Line } from './ndjson-lines';

// eslint-disable-next-line no-control-regex -- control characters are what it excludes
const REQUEST_REF = /^[^\u0000-\u001f\u007f-\u009f]{1,255}$/;

/** Of a line. */
export const requestRef = () =>
  z
    .string()
    .regex(REQUEST_REF, 'must be 1 to 255 characters, none of them a control character')
    .optional()
    .meta({
      description: 'Your own name of the line, by which its answer is matched. Left out: its number, from 1.',
      examples: ['4711'],
    });

/** Of a line of the answer; `unread` says what became of lines without an answer. */
export const answeredRef = (unread: string) =>
  z
    .string()
    .optional()
    .meta({
      description: `Of the line that is answered. Left out, in the last line: the request was not read to its end; ${unread}.`,
      examples: ['4711'],
    });

/** A line as a request, or why it is none; `requestRef` is what the client matches its answer by. */
export type ReadLine<Request> = { requestRef: string } & ({ request: Request; wireBytes: number } | { refusal: RuleError });

interface LineReader<Request> {
  read(given: unknown, lineBytes: number, requestRef: string): { request: Request; wireBytes: number };
}

/** On its way a request is named by the number of its line, which is unique whatever clients choose. */
export function readLine<Request>({ number, content }: Line, maxWireBytes: number, reader: LineReader<Request>): ReadLine<Request> {
  let requestRef = String(number);
  try {
    if (content instanceof RuleError) throw content;
    const given = parseJson(content);
    requestRef = requestRefIn(given) ?? requestRef;
    const { request, wireBytes } = reader.read(given, content.length, String(number));
    if (wireBytes > maxWireBytes) throw new MessageTooLargeError('the line, as a message,', maxWireBytes, wireBytes);
    return { requestRef, request, wireBytes };
  } catch (error) {
    if (error instanceof RuleError) return { requestRef, refusal: error };
    throw error;
  }
}

/** So that the answer to a line with faults is matched, too. */
function requestRefIn(given: unknown): string | undefined {
  const ref = (given as { request_ref?: unknown } | null | undefined)?.request_ref;
  return typeof ref === 'string' && REQUEST_REF.test(ref) ? ref : undefined;
}
