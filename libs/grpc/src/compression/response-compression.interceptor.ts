import type { ServerHttp2Stream } from 'node:http2';
import { gzip, gzipSync, type ZlibOptions } from 'node:zlib';
import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { isCompressed } from './compressed-rpcs';
import { readsGzip } from './gzip-readers';

/** The fastest: what more would save of a mail or a page of results is a tenth, for twice the time. */
const LEVEL = 1;
const SMALLEST_CHUNK = 64;
/** Up to here a thread of the pool is not worth its while: handing over takes as long as 100 us of compression. */
const AT_ONCE_BYTES = 8192;

/** A message as it goes on the wire: flag, length, bytes. */
class Frame {
  readonly bytes: Buffer;

  constructor(flag: 0 | 1, message: Uint8Array) {
    this.bytes = Buffer.allocUnsafe(message.length + 5);
    this.bytes.writeUInt8(flag, 0);
    this.bytes.writeUInt32BE(message.length, 1);
    this.bytes.set(message, 5);
  }
}

/** The call of grpc-js below all interceptors. Both are private: a test on a real server sees it when they are gone. */
interface BaseCall {
  stream?: ServerHttp2Stream;
  serializeMessage?: (message: unknown) => Buffer;
}

/**
 * Compresses answers of at least so many bytes by gzip, where the client reads it; grpc-js never does. What gets no smaller goes as
 * it is. The last interceptor: it makes the wire's bytes of a message, which those before it pass on unread.
 *
 * Streams of answers are left alone: when one ends with an error, a client of grpc-js drops what it has read but not handed on
 * yet, and the smaller its messages, the more that is.
 */
export const responseCompression =
  (minBytes: number): ServerInterceptor =>
  ({ path, responseStream, responseSerialize }, call) => {
    const base = baseOf(call);
    if (responseStream || !isCompressed(path) || !base || !readsGzip(base.stream)) return new ServerInterceptingCall(call);
    base.serializeMessage = framesAsTheyAre(base.serializeMessage);
    let compressing = false;
    let heldBack: (() => void) | undefined;
    const responder = new ResponderBuilder()
      .withSendMetadata((metadata, next) => {
        metadata.set('grpc-encoding', 'gzip');
        next(metadata);
      })
      .withSendMessage((message, next) => {
        const bytes = serialized(responseSerialize, message);
        // Not serializable: grpc-js says so itself.
        if (!bytes) return next(message);
        if (bytes.length < minBytes) return next(new Frame(0, bytes));
        compressing = true;
        compressed(bytes, (frame) => {
          compressing = false;
          next(frame);
          heldBack?.();
        });
      })
      // grpc-js keeps a status back while a message is under way, and then forgets it.
      .withSendStatus((status, next) => {
        if (compressing) heldBack = () => next(status);
        else next(status);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };

function baseOf(call: unknown): Required<BaseCall> | undefined {
  let inner = call as BaseCall & { nextCall?: unknown };
  while (inner.nextCall) inner = inner.nextCall as typeof inner;
  return inner.stream && typeof inner.serializeMessage === 'function' ? (inner as Required<BaseCall>) : undefined;
}

const framesAsTheyAre =
  (serializeMessage: (message: unknown) => Buffer) =>
  (message: unknown): Buffer =>
    message instanceof Frame ? message.bytes : serializeMessage(message);

function serialized(serialize: (message: unknown) => Buffer, message: unknown): Buffer | undefined {
  try {
    return serialize(message);
  } catch {
    return undefined;
  }
}

/** In one piece: zlib has its 256 KiB for a message only while it works at it. */
function compressed(message: Buffer, done: (frame: Frame) => void): void {
  const options: ZlibOptions = { level: LEVEL, chunkSize: Math.max(message.length, SMALLEST_CHUNK) };
  const frameOf = (packed: Buffer) => (packed.length < message.length ? new Frame(1, packed) : new Frame(0, message));
  if (message.length <= AT_ONCE_BYTES) done(frameOf(gzipSync(message, options)));
  else gzip(message, options, (error, packed) => done(error ? new Frame(0, message) : frameOf(packed)));
}
