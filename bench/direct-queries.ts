import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A search as it was sent to Elasticsearch, without the snapshot that it was sent for. */
export interface DirectQuery {
  body: Record<string, unknown>;
}

/**
 * Stands between search and Elasticsearch for a moment and writes down what search asks: so what is sent straight to
 * Elasticsearch later is the very same.
 */
export class QueryRecorder {
  private readonly queries: DirectQuery[] = [];
  /** Where the snapshots are opened: an alias or index. */
  searched = '';
  private readonly server = createServer((request, response) => {
    this.forward(request)
      .then(async (answer) => {
        const body = Buffer.from(await answer.arrayBuffer());
        const headers = [...answer.headers].filter(([name]) => !['content-encoding', 'content-length', 'transfer-encoding'].includes(name));
        response.writeHead(answer.status, Object.fromEntries(headers)).end(body);
      })
      .catch((error: unknown) => response.destroy(error as Error));
  });

  private constructor(private readonly elasticsearch: string) {}

  static async start(elasticsearch: string): Promise<QueryRecorder> {
    const recorder = new QueryRecorder(elasticsearch.replace(/\/$/, ''));
    recorder.server.listen(0, '127.0.0.1');
    await once(recorder.server, 'listening');
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked since the last time. */
  take(): DirectQuery[] {
    return this.queries.splice(0);
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await once(this.server, 'close');
  }

  private async forward(request: IncomingMessage): Promise<Response> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.note(request.url ?? '', body);
    const headers = { accept: request.headers.accept ?? '', 'content-type': request.headers['content-type'] ?? '' };
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
    const hasBody = body.length > 0 && request.method !== 'GET' && request.method !== 'HEAD';
    return fetch(`${this.elasticsearch}${request.url}`, { method: request.method ?? 'GET', headers: given, ...(hasBody && { body }) });
  }

  private note(path: string, body: Buffer): void {
    const [, opened] = /^\/([^/]+)\/_pit/.exec(path) ?? [];
    if (opened !== undefined) this.searched = decodeURIComponent(opened);
    if (!/^\/(.+\/)?_search(\?|$)/.test(path)) return;
    const { pit, ...query } = JSON.parse(body.toString()) as Record<string, unknown> & { sort: unknown[]; search_after?: unknown[] };
    // Only in a snapshot is there one value more than was sorted by.
    const after = query.search_after?.slice(0, query.sort.length);
    this.queries.push({ body: { ...query, ...(after && { search_after: after }) } });
  }
}
