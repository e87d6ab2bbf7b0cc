import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { goHttp3Path } from '../system/provisioned';

/** How much later than a call has to be over it is given up here. */
const PATIENCE_MS = 10_000;

interface Call {
  path: string;
  /** 30 s unless it is said; of gRPC it is the deadline that the server is told. */
  timeoutMs?: number;
  /** Gives up after so long, by resetting the stream. */
  cancelAfterMs?: number;
}

export interface GoRestCall extends Call {
  /** GET_0RTT: GET, in early data where the connection is a resumed one. */
  method: string;
  headers?: Record<string, string>;
  body?: Buffer;
  /** Instead of a body: so many bytes, of which the one at i is i modulo 251. */
  bodyBytes?: number;
}

export interface GoGrpcCall extends Call {
  metadata?: Record<string, string>;
  /** Messages, 100 MiB at most. */
  requests: Buffer[];
  /** Sends the next request when the answer to the one before has come. */
  pingPong?: boolean;
  /** Does not end its side when it has sent all. */
  keepOpen?: boolean;
  /** Gives up when so many messages have come. */
  cancelAfterResponses?: number;
}

interface Answer {
  /** HTTP/3.0; undefined: nothing was answered. */
  proto?: string;
  headers: Record<string, string>;
  trailers: Record<string, string>;
  /** Whether the connection began with early data that the edge took. */
  earlyData: boolean;
  /** Why the answer is not whole, in the words of quic-go. */
  error?: string;
}

export interface GoRestAnswer extends Answer {
  status?: number;
  bodyBytes: number;
  bodySha256: string;
  /** Undefined: it has more than 1 MiB. */
  body?: Buffer;
}

export interface GoGrpcAnswer extends Answer {
  httpStatus?: number;
  /** grpc-status as it is on the wire, in the trailers or in the headers; undefined: there is none. */
  status?: number;
  message: string;
  responses: Buffer[];
}

interface Line {
  id: number;
  proto?: string;
  status?: number;
  headers?: Record<string, string>;
  trailers?: Record<string, string>;
  earlyData?: boolean;
  bodyBytes?: number;
  bodySha256?: string;
  bodyBase64?: string;
  responses?: string[];
  error?: string;
}

/** A client of HTTP/3 that is not quiche's: test/edge/go-http3, in a process of its own, with one connection at a time. */
export class GoClient {
  private readonly waiting = new Map<number, { resolve: (line: Line) => void; reject: (error: Error) => void }>();
  private readonly process: ChildProcessWithoutNullStreams;
  private lastId = 0;
  private said = '';
  private over: Error | undefined;

  /** @param authority the file with the certificate of the edge's authority */
  constructor(edgeUrl: string, authority: string) {
    this.process = spawn(goHttp3Path, { env: { SGE_EDGE_URL: edgeUrl, SGE_CA: authority } });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    this.process.stdin.on('error', () => undefined);
    this.process.on('error', (error) => this.giveUp(error));
    this.process.on('close', () => this.giveUp(new Error(`go-http3 has ended: ${this.said}`)));
    createInterface({ input: this.process.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.waiting.get(line.id)?.resolve(line);
    });
  }

  async rest({ body, ...call }: GoRestCall): Promise<GoRestAnswer> {
    const line = await this.ask('rest', { ...call, bodyBase64: body?.toString('base64') }, call.timeoutMs);
    return {
      ...answerOf(line),
      status: line.status,
      bodyBytes: line.bodyBytes ?? 0,
      bodySha256: line.bodySha256 ?? '',
      body: (line.bodyBytes ?? 0) > 0 && line.bodyBase64 === undefined ? undefined : Buffer.from(line.bodyBase64 ?? '', 'base64'),
    };
  }

  async grpc({ metadata, requests, ...call }: GoGrpcCall): Promise<GoGrpcAnswer> {
    const line = await this.ask(
      'grpc',
      { ...call, headers: metadata, requests: requests.map((request) => request.toString('base64')) },
      call.timeoutMs,
    );
    const answer = answerOf(line);
    const status = answer.trailers['grpc-status'] ?? answer.headers['grpc-status'];
    return {
      ...answer,
      httpStatus: line.status,
      status: status === undefined ? undefined : Number(status),
      message: decodeURIComponent(answer.trailers['grpc-message'] ?? answer.headers['grpc-message'] ?? ''),
      responses: (line.responses ?? []).map((response) => Buffer.from(response, 'base64')),
    };
  }

  /** Ends the connection where it is idle; the next call makes one that resumes it. */
  async disconnect(): Promise<void> {
    await this.ask('disconnect', {});
  }

  /** Closes the connection and ends. */
  async close(): Promise<void> {
    this.process.stdin.end();
    await this.ended();
  }

  /** Ends it without a word to the edge. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL');
    await this.ended();
  }

  private async ended(): Promise<void> {
    if (!this.over) await once(this.process, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  private async ask(kind: string, command: object, timeoutMs = 30_000): Promise<Line> {
    if (this.over) throw this.over;
    const id = ++this.lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Line>();
    this.waiting.set(id, { resolve, reject });
    const timer = setTimeout(() => reject(new Error(`go-http3 did not answer ${kind} in time`)), timeoutMs + PATIENCE_MS);
    this.process.stdin.write(`${JSON.stringify({ ...command, id, kind })}\n`);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(id);
    }
  }

  private giveUp(error: Error): void {
    this.over ??= error;
    for (const { reject } of this.waiting.values()) reject(error);
  }
}

const answerOf = ({ proto, headers = {}, trailers = {}, earlyData = false, error }: Line): Answer => ({
  proto,
  headers,
  trailers,
  earlyData,
  error,
});
