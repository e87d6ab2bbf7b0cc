import { MessageTooLargeError, RuleError, sizeToldOf } from './rule-error';

const TOO_LARGE = /^Received message larger than max \((\d+) vs (\d+)\)/;
const TOO_LARGE_INFLATED = /^Received message that decompresses to a size larger than (\d+)/;
const UNSENT = /^Attempted to send message with a size larger than (\d+)/;

/** What a server of grpc-js told its caller of a message that it did not read; undefined where it told of something else. */
export function messageTooLarge(text: string, limitBytes: number): MessageTooLargeError | undefined {
  const [, bytes] = TOO_LARGE.exec(text) ?? [];
  if (bytes !== undefined) return new MessageTooLargeError('the message', limitBytes, Number(bytes));
  return TOO_LARGE_INFLATED.test(text) ? new MessageTooLargeError('the message, decompressed,', limitBytes) : undefined;
}

/** What a client of grpc-js told of a message that it did not send, or of an answer that it did not read. */
export function unsentOrUnread(text: string): RuleError | undefined {
  const [, unsent] = UNSENT.exec(text) ?? [];
  if (unsent !== undefined) return new MessageTooLargeError('the message', Number(unsent));
  const [, bytes, limit] = TOO_LARGE.exec(text) ?? [];
  if (bytes !== undefined) return new RuleError('ANSWER_TOO_LARGE', ...sizeToldOf('the answer', Number(limit), Number(bytes)));
  const [, inflated] = TOO_LARGE_INFLATED.exec(text) ?? [];
  return inflated === undefined
    ? undefined
    : new RuleError('ANSWER_TOO_LARGE', ...sizeToldOf('the answer, decompressed,', Number(inflated), undefined));
}
