import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js';
import { FilesClient, MailClient, RuleError, SearchClient, ServiceChannel } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import type { TestEdge } from '../edge/test-edge';
import { RetryableError } from './retried.calls';

const TIMEOUT_MS = 10_000;
const RETRYABLE = [425, 429, 502, 503, 504];
const BROKEN = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE'];

export interface RestAnswer {
  status: number;
  body: string;
}

/** gRPC and REST to an edge, as callers outside have them: TLS, the edge's own CA, and no other try but what the caller makes. */
export class EdgeClients {
  readonly mail: MailClient;
  readonly search: SearchClient;
  readonly files: FilesClient;
  private readonly opened = new Map<string, Client>();
  private readonly agent: Agent;

  constructor(private readonly edge: TestEdge) {
    this.agent = new Agent({ keepAlive: true, ca: edge.ca, maxSockets: 64 });
    const pool = { client: (service: string) => this.client(service) };
    const channel = (service: string) =>
      new ServiceChannel({ service, unary: pool, streams: pool, timeoutMs: TIMEOUT_MS, serviceToken: () => undefined });
    this.mail = new MailClient(channel('MailService'));
    this.search = new SearchClient(channel('SearchService'));
    this.files = new FilesClient(channel('StreamingService'));
  }

  close(): void {
    for (const client of this.opened.values()) client.close();
    this.agent.destroy();
  }

  /** @throws RetryableError where a client may send it again; it must be a read, or have a key */
  async rest(method: string, path: string, headers: Record<string, string>, body?: string): Promise<RestAnswer> {
    const response = await this.open(method, path, headers, body);
    let text = '';
    try {
      for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    } catch (error) {
      throw new RetryableError((error as Error).message);
    }
    if (RETRYABLE.includes(response.statusCode!)) throw new RetryableError(`${response.statusCode} ${codeOf(text)}`);
    if (response.statusCode! >= 300) throw new Error(`${response.statusCode} ${text}`);
    return { status: response.statusCode!, body: text };
  }

  /** The answer while it comes. */
  open(method: string, path: string, headers: Record<string, string>, body?: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.edge.url}${path}`, { method, headers, agent: this.agent, timeout: TIMEOUT_MS }, resolve);
      sent.once('timeout', () => sent.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      sent.once('error', (error: NodeJS.ErrnoException) =>
        reject(BROKEN.includes(error.code ?? '') ? new RetryableError(error.code) : error),
      );
      sent.end(body);
    });
  }

  private client(service: string): Client {
    const known = this.opened.get(service);
    if (known) return known;
    let found: unknown = loadPackageDefinition(loadPackage());
    for (const name of service.split('.')) found = (found as Record<string, unknown>)[name];
    const options = { 'grpc.enable_retries': 0, 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 };
    const client = new (found as ServiceClientConstructor)(
      `localhost:${this.edge.port}`,
      credentials.createSsl(Buffer.from(this.edge.ca)),
      options,
    );
    this.opened.set(service, client);
    return client;
  }
}

/** @throws RetryableError for UNAVAILABLE, which says that another try is safe for what only reads or has a key */
export async function grpc<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw retryable(error);
  }
}

export const retryable = (error: unknown): Error =>
  error instanceof RuleError && error.code === 'UNAVAILABLE' ? new RetryableError(`UNAVAILABLE ${error.reason}`) : (error as Error);

function codeOf(problem: string): string {
  try {
    return String((JSON.parse(problem) as { code?: unknown }).code);
  } catch {
    return '';
  }
}
