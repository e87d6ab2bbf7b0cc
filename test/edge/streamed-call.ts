import { decodeGrpcMessages, encodeGrpcMessage } from '../http3/grpc-frames';
import {
  DEFAULT_TIMEOUT_MS,
  type GrpcAnswer,
  type GrpcCall,
  grpcEnding,
  patternOf,
  readBody,
  type RestAnswer,
  type RestCall,
} from './edge.wire';

/** One request that streams both ways, whatever carries it. */
export interface StreamedCall {
  write(bytes: Buffer): Promise<void>;
  end(): Promise<void>;
  head: Promise<{ status: number; headers: Record<string, string> }>;
  body: AsyncIterable<Buffer>;
  /** Settles when the body was read. */
  trailers: Promise<Record<string, string>>;
  cancel(): void;
}

/** Longer than the deadline, which is the server's to keep. */
const PATIENCE_MS = 5000;

/** A gRPC call on such a request. Whatever breaks it is told in the answer. */
export async function grpcOver(stream: StreamedCall, proto: string, call: GrpcCall): Promise<GrpcAnswer> {
  const answer: GrpcAnswer = { headers: {}, trailers: {}, message: '', responses: [] };
  const patience = setTimeout(() => stream.cancel(), (call.timeoutMs ?? DEFAULT_TIMEOUT_MS) + PATIENCE_MS);
  const giveUp = call.cancelAfterMs === undefined ? undefined : setTimeout(() => stream.cancel(), call.cancelAfterMs);
  const answered = new Turnstile();
  const sending = send(stream, call, answered);
  try {
    const { status, headers } = await stream.head;
    Object.assign(answer, { proto, httpStatus: status, headers });
    for await (const message of decodeGrpcMessages(stream.body)) {
      answer.responses.push(message);
      call.onResponse?.(message);
      answered.open();
      if (answer.responses.length === call.cancelAfterResponses) stream.cancel();
    }
    answer.trailers = await stream.trailers;
  } catch (error) {
    answer.error = (error as Error).message;
  } finally {
    clearTimeout(patience);
    clearTimeout(giveUp);
    answered.open();
    // Of a call that is answered already the rest need not arrive.
    await sending.catch(() => undefined);
  }
  return { ...answer, ...grpcEnding(answer) };
}

async function send(stream: StreamedCall, { requests, pingPong, keepOpen }: GrpcCall, answered: Turnstile): Promise<void> {
  for (const [index, request] of requests.entries()) {
    await stream.write(encodeGrpcMessage(request));
    if (pingPong && index < requests.length - 1) await answered.passed();
  }
  if (!keepOpen) await stream.end();
}

/** A REST request on such a stream. */
export async function restOver(stream: StreamedCall, proto: string, call: RestCall): Promise<RestAnswer> {
  const patience = setTimeout(() => stream.cancel(), (call.timeoutMs ?? DEFAULT_TIMEOUT_MS) + PATIENCE_MS);
  const giveUp = call.cancelAfterMs === undefined ? undefined : setTimeout(() => stream.cancel(), call.cancelAfterMs);
  let answer: RestAnswer = { headers: {}, trailers: {}, bodyBytes: 0, bodySha256: '' };
  const sending = sendBody(stream, call);
  try {
    const { status, headers } = await stream.head;
    answer = { ...answer, proto, status, headers };
    answer = { ...answer, ...(await readBody(stream.body)), trailers: await stream.trailers };
  } catch (error) {
    answer.error = (error as Error).message;
  } finally {
    clearTimeout(patience);
    clearTimeout(giveUp);
    await sending.catch(() => undefined);
  }
  return answer;
}

async function sendBody(stream: StreamedCall, { body, bodyBytes = 0, keepOpen }: RestCall): Promise<void> {
  if (body) await stream.write(body);
  for (const piece of patternOf(bodyBytes)) await stream.write(piece);
  if (!keepOpen) await stream.end();
}

/** One passes for each time that it is opened. */
class Turnstile {
  private free = 0;
  private waiting: (() => void) | undefined;

  open(): void {
    this.free++;
    this.waiting?.();
  }

  async passed(): Promise<void> {
    if (this.free === 0) await new Promise<void>((resolve) => (this.waiting = resolve));
    this.free--;
  }
}
