import { FRAME, type Frame, encodeFrame, encodeFrameHeader, readFrames } from './frames';
import { fieldLines, type HeaderFields, headerFields, type ResponseHead, responseHead } from './header-fields';
import { H3, Http3Error } from './http3-error';
import { decodeFieldSection, encodeFieldSection } from './qpack';
import type { QuicConnection } from './quic-connection';
import type { QuicStream } from './quic-stream';

const MAX_INFORMATIONAL = 16;

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers?: HeaderFields;
}

export interface Http3Response extends ResponseHead {
  /** The responses of 1xx that came before, in order. */
  readonly informational: readonly ResponseHead[];
}

/** A part of the body. The next one is read when somebody first asks for it. */
interface Piece {
  readonly bytes: Buffer;
  next(): Promise<Piece | undefined>;
}

/**
 * One request and its response (RFC 9114, 4.1). Every promise here settles, at the latest when the connection ends; what nobody waits
 * for may fail silently.
 */
export class Http3Stream {
  /** @throws Http3Error how the stream or its connection ended before */
  readonly response: Promise<Http3Response>;
  /**
   * The body, once. It is read from QUIC as it is taken, one piece ahead: who does not read holds back the server. Leaving the loop
   * before the end cancels the stream.
   * @throws Http3Error how the stream or its connection ended before
   */
  readonly body: AsyncIterable<Buffer>;
  private readonly opened = Promise.withResolvers<QuicStream>();
  private readonly complete = Promise.withResolvers<void>();
  private readonly lastFields = Promise.withResolvers<HeaderFields>();
  private readonly frames: AsyncGenerator<Frame, void>;
  /** The piece of the body that was read, or is being read, last. */
  private latest: Promise<Piece | undefined>;
  /** What is to be written, one after the other; rejected from the first failure on. */
  private writing: Promise<void>;
  private hasEnded = false;
  private failure: Error | undefined;

  constructor(
    private readonly connection: QuicConnection,
    head: RequestHead,
  ) {
    for (const { promise } of [this.opened, this.complete, this.lastFields]) (promise as Promise<unknown>).catch(() => undefined);
    connection.open('bidirectional').then((stream) => this.start(stream), this.opened.reject);
    this.writing = this.opened.promise.then((stream) => stream.write(encodeFrame(FRAME.HEADERS, encodeFieldSection(requestLines(head)))));
    this.writing.catch(this.complete.reject);
    this.frames = this.readFrames();
    this.response = this.orFail(this.readHead());
    this.latest = this.orFail(this.response.then(() => this.readPiece()));
    this.body = this.readBody(this.latest);
    const atEnd = () => void this.settle().catch(() => undefined);
    connection.atEnd.add(atEnd);
    void Promise.allSettled([this.sent, this.trailers]).then(() => connection.atEnd.delete(atEnd));
  }

  /** What came behind the body, once that was read; empty if nothing did. @throws Http3Error how the stream or its connection ended before */
  get trailers(): Promise<HeaderFields> {
    return this.lastFields.promise;
  }

  /** Resolves when QUIC has taken the request to its end. @throws Http3Error as {@link write} */
  get sent(): Promise<void> {
    return this.complete.promise;
  }

  /**
   * Sends DATA; resolves when QUIC has taken all of it, which is when the windows let it.
   * @throws Http3Error `stopped`: the server wants no more, but may answer; or how the stream or its connection ended
   */
  write(bytes: Buffer): Promise<void> {
    return this.append(async (stream) => {
      if (bytes.length === 0) return;
      await stream.write(encodeFrameHeader(FRAME.DATA, bytes.length));
      await stream.write(bytes);
    });
  }

  /** The request is complete. @throws Http3Error as {@link write} */
  end(): Promise<void> {
    const done = this.append((stream) => stream.end());
    this.hasEnded = true;
    done.then(this.complete.resolve, () => undefined);
    return done;
  }

  /** The whole of a body, and the end. What its source throws cancels the stream. @throws Http3Error as {@link write} */
  async send(body: Buffer | AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const bytes of Buffer.isBuffer(body) ? [body] : body) await this.write(bytes);
      await this.end();
    } catch (error) {
      if (!(error instanceof Http3Error)) this.fail(error as Error);
      throw error;
    }
  }

  /** RESET_STREAM and STOP_SENDING: neither request nor response are of use any more. Nothing, once both are complete. */
  cancel(code: number = H3.REQUEST_CANCELLED): void {
    this.fail(new Http3Error('cancelled', code), code);
  }

  private start(stream: QuicStream): void {
    if (this.failure) stream.cancel(H3.REQUEST_CANCELLED, this.failure);
    else this.opened.resolve(stream);
  }

  private append(task: (stream: QuicStream) => Promise<void>): Promise<void> {
    if (this.hasEnded) return Promise.reject(new Error('the request has ended'));
    this.writing = this.writing.then(async () => task(await this.opened.promise));
    this.writing.catch(this.complete.reject);
    return this.writing;
  }

  private async *readFrames(): AsyncGenerator<Frame, void> {
    const stream = await this.opened.promise;
    for await (const frame of readFrames(stream.read())) {
      if (frame.type !== FRAME.HEADERS && frame.type !== FRAME.DATA) throw new Http3Error('violation', H3.FRAME_UNEXPECTED);
      yield frame;
    }
  }

  private async nextFrame(): Promise<Frame | undefined> {
    return (await this.frames.next()).value ?? undefined;
  }

  private async readHead(): Promise<Http3Response> {
    const informational: ResponseHead[] = [];
    for (;;) {
      const frame = await this.nextFrame();
      if (!frame) throw new Http3Error('violation', H3.MESSAGE_ERROR);
      if (frame.type !== FRAME.HEADERS) throw new Http3Error('violation', H3.FRAME_UNEXPECTED);
      const head = responseHead(decodeFieldSection(frame.payload));
      if (head.status >= 200) return { ...head, informational };
      if (informational.length === MAX_INFORMATIONAL) throw new Http3Error('violation', H3.EXCESSIVE_LOAD);
      informational.push(head);
    }
  }

  /** Of the body; at its end the trailers are settled. */
  private async readPiece(): Promise<Piece | undefined> {
    const frame = await this.nextFrame();
    if (frame?.type === FRAME.DATA) {
      let following: Promise<Piece | undefined> | undefined;
      const next = () => (following ??= this.latest = this.orFail(this.readPiece()));
      return { bytes: frame.payload, next };
    }
    if (frame && (await this.nextFrame())) throw new Http3Error('violation', H3.FRAME_UNEXPECTED);
    this.lastFields.resolve(frame ? headerFields(decodeFieldSection(frame.payload)) : {});
    return undefined;
  }

  /** Holds no piece but the one in hand and the one ahead: each leads to all that follow. */
  private async *readBody(ahead: Promise<Piece | undefined>): AsyncGenerator<Buffer, void> {
    let isComplete = false;
    try {
      for (let piece = await ahead; piece; piece = await ahead) {
        ahead = piece.next();
        yield piece.bytes;
      }
      isComplete = true;
    } finally {
      if (!isComplete) this.cancel();
    }
  }

  /** The connection is over: reads what had come, a window at most, for nobody else may; then all is known. */
  private async settle(): Promise<void> {
    this.complete.reject(this.connection.end);
    for (let piece = await this.latest; piece;) piece = await piece.next();
  }

  /** What reading the response fails with is the stream's failure. */
  private orFail<T>(reading: Promise<T>): Promise<T> {
    const guarded = reading.catch((error: unknown) => {
      throw this.fail(error as Error);
    });
    guarded.catch(() => undefined);
    return guarded;
  }

  /** @returns the first failure, which is the one that is told */
  private fail(error: Error, code: number = H3.REQUEST_CANCELLED): Error {
    if (this.failure) return this.failure;
    this.failure = error;
    this.opened.promise.then(
      (stream) => stream.cancel(code, error),
      () => undefined,
    );
    for (const waiting of [this.opened, this.complete, this.lastFields]) waiting.reject(error);
    const isConnectionError = error instanceof Http3Error && error.kind === 'violation' && error.code !== H3.MESSAGE_ERROR;
    if (isConnectionError) this.connection.close(error.code, error);
    return error;
  }
}

function requestLines({ method, path, authority, headers = {} }: RequestHead) {
  const pseudo = { ':method': method, ':scheme': 'https', ':authority': authority, ':path': path };
  return fieldLines({ ...pseudo, ...headers });
}
