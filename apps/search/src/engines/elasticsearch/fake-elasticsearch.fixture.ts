import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ElasticsearchSettings } from './elasticsearch.settings';

export interface Recorded {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Reply {
  status?: number;
  body?: object;
  /** Never answers. */
  silent?: boolean;
}

/** Records what reaches it, and answers what it is told to; else as an Elasticsearch with one empty index. */
export class FakeElasticsearch {
  readonly recorded: Recorded[] = [];
  reply: (request: Recorded, times: number) => Reply | undefined = () => undefined;
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const recorded = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body };
        this.recorded.push(recorded);
        const times = this.recorded.filter(({ path }) => path === recorded.path).length;
        const { status = 200, body: answer = {}, silent = false } = this.reply(recorded, times) ?? usual(recorded);
        if (silent) return;
        response.writeHead(status, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' });
        response.end(JSON.stringify(answer));
      });
    });
  }

  async start(): Promise<void> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  settings(over: Partial<ElasticsearchSettings> = {}): ElasticsearchSettings {
    const { port } = this.server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, indexPrefix: 'fake', shards: 1, replicas: 0, timeoutMs: 2000, ...over };
  }

  /** Those whose path ends so, without what stands behind the question mark. */
  sentTo(ending: string): Recorded[] {
    return this.recorded.filter(({ path }) => path.split('?')[0]?.endsWith(ending));
  }
}

const shards = { total: 1, successful: 1, failed: 0 };

function usual({ path, body }: Recorded): Reply {
  const at = path.split('?')[0] ?? '';
  if (at.endsWith('/_alias')) return { body: { 'fake-v1-000001': { aliases: { 'fake-read': {}, 'fake-write': {} } } } };
  if (at.endsWith('/_pit')) return { body: { id: 'snapshot', _shards: shards } };
  if (at.endsWith('/_stats/refresh')) return { body: { _shards: shards, indices: {} } };
  if (at.endsWith('/_search'))
    return { body: { timed_out: false, _shards: shards, hits: { total: { value: 0, relation: 'eq' }, hits: [] } } };
  if (at.endsWith('/_mget')) return { body: { docs: (JSON.parse(body) as { ids: string[] }).ids.map((_id) => ({ _id, found: false })) } };
  if (at.endsWith('/_bulk')) {
    const lines = body.split('\n').filter((line) => line !== '').length / 2;
    return { body: { items: Array.from({ length: lines }, () => ({ index: { status: 201, result: 'created' } })) } };
  }
  return { body: { _shards: shards, deleted: 0 } };
}
