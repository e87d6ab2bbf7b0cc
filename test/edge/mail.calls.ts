import type { EmailEvent, SubmitEmailResponse, WatchEventsResponse } from '@sky-genesis/proto';
import { bearer } from './edge-system';
import type { GrpcAnswer, GrpcCall } from './edge.wire';
import { decoded, encoded } from './rpc';

const SUBMIT = '/sky_genesis.MailService/SubmitEmail';
const WATCH = '/sky_genesis.MailService/WatchEvents';

/** What a mail of these suites is, beside its subject. */
export const mailOf = (subject: string) => ({ from: 'sender@example.com', to: ['recipient@example.com'], subject });

/** One mail, which may be sent again where it has a key. */
export const submitEmail = (subject: string, idempotencyKey = '', timeoutMs = 10_000): GrpcCall => ({
  path: SUBMIT,
  metadata: bearer(),
  requests: [encoded(SUBMIT, { email: mailOf(subject), idempotencyKey })],
  timeoutMs,
});

/** The id that a mail was accepted under; undefined if it was not. */
export const acceptedId = (answer: GrpcAnswer): string | undefined => decoded<SubmitEmailResponse>(SUBMIT, answer)[0]?.messageId;

/** Events from a cursor on, until the caller gives up or `timeoutMs` are over. */
export const watchEvents = (after: string, onEvents: (events: EmailEvent[]) => void = () => undefined, timeoutMs = 60_000): GrpcCall => ({
  path: WATCH,
  metadata: bearer(),
  requests: [encoded(WATCH, { after })],
  timeoutMs,
  onResponse: (message) => onEvents(decoded<WatchEventsResponse>(WATCH, { responses: [message] })[0]!.events),
});
