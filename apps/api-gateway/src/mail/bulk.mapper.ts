import { fromRpcStatus, RuleError } from '@sky-genesis/grpc';
import type { SubmitEmailRequest, SubmitEmailResult } from '@sky-genesis/proto';
import type { Line } from '../http/ndjson-lines';
import { parseJson } from '../http/json-body.mapper';
import { validated } from '../http/request-validation.pipe';
import { problemOf, toRestField } from '../problem/problem.mapper';
import { type BulkAnswer, bulkLine, REQUEST_REF } from './bulk.schema';
import { fromSubmitEmailResponse, toSubmitEmailRequest } from './mail.mapper';

/** More than any request takes for fields that are empty, and for lengths. */
const FRAMING_BYTES = 256;
const ATTACHMENT_FRAMING_BYTES = 16;

/** A line as a request, or why it is none; `requestRef` is what the client matches its answer by. */
export type ReadLine = { requestRef: string } & ({ request: SubmitEmailRequest; wireBytes: number } | { refusal: RuleError });

/** On its way a request is named by the number of its line, which is unique whatever clients choose. */
export function readLine({ number, content }: Line, maxWireBytes: number): ReadLine {
  let requestRef = String(number);
  try {
    if (content instanceof RuleError) throw content;
    const given = parseJson(content);
    requestRef = requestRefIn(given) ?? requestRef;
    const { idempotency_key, request_ref: _, ...email } = validated(bulkLine, given);
    // Text and bytes are shorter in protobuf than in JSON, but what a line leaves out has a length there, too.
    const wireBytes = content.length + FRAMING_BYTES + email.attachments.length * ATTACHMENT_FRAMING_BYTES;
    if (wireBytes > maxWireBytes) throw new RuleError('MESSAGE_TOO_LARGE', `the email is larger than ${maxWireBytes} bytes`);
    return { requestRef, request: { ...toSubmitEmailRequest(email, idempotency_key ?? ''), requestRef: String(number) }, wireBytes };
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

export function fromResult(result: SubmitEmailResult, requestRef: string, requestId: string): BulkAnswer {
  const { response, failure } = result;
  if (!response) return toProblem(fromRpcStatus(failure ?? NOT_TOLD), requestId, requestRef);
  return { request_ref: requestRef, ...fromSubmitEmailResponse(response), ...(response.replayed && { replayed: true }) };
}

const NOT_TOLD = { code: 2, message: '', details: [] };

/** @param requestRef undefined: it is about the lines that were not read */
export const toProblem = (error: RuleError, requestId: string, requestRef?: string): BulkAnswer => ({
  ...(requestRef !== undefined && { request_ref: requestRef }),
  problem: problemOf(error, requestId, (field) => (field === 'idempotency_key' ? field : toRestField(field))),
});
