import { toRpcStatus } from '@sky-genesis/grpc';
import type { SubmitEmailResult, SubmitEmailsRequest, SubmitEmailsResponse } from '@sky-genesis/proto';
import { toDraft, toSubmitEmailResponse } from './emails.mapper';
import type { SubmitAnswer, SubmitRequest } from './submit-emails';

/** Each draft is made when its turn comes: what is wrong with one is told of that one. */
export const toSubmitRequests = ({ requests }: SubmitEmailsRequest): SubmitRequest[] =>
  requests.map(({ email, options, idempotencyKey, requestRef }) => ({
    requestRef,
    idempotencyKey,
    draft: () => toDraft(email, options),
  }));

export const toSubmitEmailsResponse = (answers: readonly SubmitAnswer[]): SubmitEmailsResponse => ({ results: answers.map(toResult) });

const toResult = (answer: SubmitAnswer): SubmitEmailResult =>
  'accepted' in answer
    ? { requestRef: answer.requestRef, response: toSubmitEmailResponse(answer.accepted) }
    : { requestRef: answer.requestRef, failure: toRpcStatus(answer.error) };
