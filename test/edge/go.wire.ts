import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { goHttp3Path } from '../system/provisioned';
import { DEFAULT_TIMEOUT_MS, type EdgeWire, type GrpcAnswer, type GrpcCall, grpcEnding, type RestAnswer, type RestCall } from './edge.wire';
import type { TestEdge } from './test-edge';

/** How much later than a call has to be over it is given up here. */
const PATIENCE_MS = 10_000;

/** What quic-go knows besides: whether the connection began with early data that the edge took. */
type WithEarlyData<Answer> = Answer & { earlyData: boolean };

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

/** HTTP/3 by quic-go, which has no line in common with quiche: test/edge/go-http3, in a process of its own, with one connection at a time. */
export class GoWire implements EdgeWire {
  readonly name = 'HTTP/3 (quic-go)';
  readonly proto = 'HTTP/3.0';
  private readonly waiting = new Map<number, { resolve: (line: Line) => void; reject: (error: Error) => void }>();
  private readonly process: ChildProcessWithoutNullStreams;
  private lastId = 0;
  private said = '';
  private over: Error | undefined;

  constructor({ url, caFile }: TestEdge) {
    this.process = spawn(goHttp3Path, { env: { SGE_EDGE_URL: url, SGE_CA: caFile } });
    this.process.stderr.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    this.process.stdin.on('error', () => undefined);
    this.process.on('error', (error) => this.giveUp(error));
    this.process.on('close', () => this.giveUp(new Error(`go-http3 has ended: ${this.said}`)));
    createInterface({ input: this.process.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.waiting.get(line.id)?.resolve(line);
    });
  }

  /** The method GET_0RTT is GET, in early data where the connection is a resumed one. */
  async rest({ body, ...call }: RestCall): Promise<WithEarlyData<RestAnswer>> {
    const line = await this.ask('rest', { ...call, bodyBase64: body?.toString('base64') }, call.timeoutMs);
    return {
      ...answerOf(line),
      status: line.status,
      bodyBytes: line.bodyBytes ?? 0,
      bodySha256: line.bodySha256 ?? '',
      body: (line.bodyBytes ?? 0) > 0 && line.bodyBase64 === undefined ? undefined : Buffer.from(line.bodyBase64 ?? '', 'base64'),
    };
  }

  async grpc({ metadata, requests, ...call }: GrpcCall): Promise<WithEarlyData<GrpcAnswer>> {
    const line = await this.ask(
      'grpc',
      { ...call, headers: metadata, requests: requests.map((request) => request.toString('base64')) },
      call.timeoutMs,
    );
    const answer = answerOf(line);
    return {
      ...answer,
      ...grpcEnding(answer),
      httpStatus: line.status,
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

  private async ask(kind: string, command: object, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<Line> {
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

const answerOf = ({ proto, headers = {}, trailers = {}, earlyData = false, error }: Line) => ({
  proto,
  headers,
  trailers,
  earlyData,
  error,
});
