import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CallWire, WireAnswer, WireRequest } from './call-wire';

/** As seen from bench/dist; tools/provision makes it of test/edge/go-http3. */
const GO_HTTP3 = join(__dirname, '..', '..', '.provision', 'bin', 'go-http3');
const GRPC_PREFIX_BYTES = 5;
const TIMEOUT_MS = 120_000;

/** What test/edge/go-http3 answers, as far as it counts here. */
interface Line {
  id: number;
  status?: number;
  headers?: Record<string, string>;
  trailers?: Record<string, string>;
  bodyBytes?: number;
  error?: string;
}

/** HTTP/3 by quic-go, on one connection, in a process that is told each call by a line of JSON. */
export class QuicGoCallWire implements CallWire {
  /** Whether the client was made on this machine. */
  static readonly isThere = existsSync(GO_HTTP3);
  private readonly waiting = new Map<number, (line: Line) => void>();
  private readonly process: ChildProcessWithoutNullStreams;
  private lastId = 0;

  constructor(
    readonly name: string,
    edge: { port: number; caFile: string },
  ) {
    this.process = spawn(GO_HTTP3, { env: { SGE_EDGE_URL: `https://127.0.0.1:${edge.port}`, SGE_CA: edge.caFile } });
    this.process.stderr.pipe(process.stderr);
    createInterface({ input: this.process.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line;
      this.waiting.get(line.id)?.(line);
      this.waiting.delete(line.id);
    });
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  /** A body that is not one buffer is so many bytes of the client's own; gRPC's is one message. */
  async send({ method, path, headers, body }: WireRequest): Promise<WireAnswer> {
    const isGrpc = headers['content-type'] === 'application/grpc';
    const bytes = Buffer.isBuffer(body) ? { bodyBase64: body.toString('base64') } : { bodyBytes: Number(headers['content-length'] ?? 0) };
    const message = isGrpc && Buffer.isBuffer(body) ? { requests: [body.subarray(GRPC_PREFIX_BYTES).toString('base64')] } : bytes;
    const id = ++this.lastId;
    const line = await new Promise<Line>((resolve) => {
      this.waiting.set(id, resolve);
      const command = { id, kind: isGrpc ? 'grpc' : 'rest', method, path, headers, timeoutMs: TIMEOUT_MS, ...message };
      this.process.stdin.write(`${JSON.stringify(command)}\n`);
    });
    if (line.error !== undefined) throw new Error(`${this.name}: ${line.error}`);
    const grpcStatus = line.trailers?.['grpc-status'] ?? line.headers?.['grpc-status'];
    return { status: line.status ?? 0, grpcStatus, bytes: line.bodyBytes ?? 0 };
  }

  close(): void {
    this.process.stdin.end();
  }
}
