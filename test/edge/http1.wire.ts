import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { type EdgeWire, type RestAnswer, type RestCall } from './edge.wire';
import { restOver } from './streamed-call';
import type { TestEdge } from './test-edge';

/** HTTP/1.1 by Node. */
export class Http1Wire implements EdgeWire {
  readonly name = 'HTTP/1.1 (Node)';
  readonly proto = 'HTTP/1.1';
  private readonly agent: Agent;

  constructor(private readonly edge: TestEdge) {
    this.agent = new Agent({ keepAlive: true, ca: edge.ca });
  }

  rest(call: RestCall): Promise<RestAnswer> {
    const length = call.keepOpen ? undefined : (call.body?.length ?? call.bodyBytes);
    const outgoing = request({
      host: '127.0.0.1',
      port: this.edge.port,
      servername: 'localhost',
      path: call.path,
      method: call.method,
      agent: this.agent,
      headers: { host: `localhost:${this.edge.port}`, ...(length !== undefined && { 'content-length': length }), ...call.headers },
    });
    const incoming = new Promise<IncomingMessage>((resolve, reject) => void outgoing.once('response', resolve).once('error', reject));
    // An error that comes after the answer is told by the answer's body.
    outgoing.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => void outgoing.once('close', () => resolve()));
    const head = incoming.then((answer) => ({ status: answer.statusCode ?? 0, headers: plain(answer.headers) }));
    const trailers = head.then(() => ({}));
    // Of a call that is given up nobody asks for both.
    for (const each of [head, trailers]) each.catch(() => undefined);
    const stream = {
      write: async (bytes: Buffer) => {
        if (!outgoing.write(bytes) && !outgoing.destroyed) await Promise.race([once(outgoing, 'drain'), closed]);
      },
      end: async () => void outgoing.end(),
      head,
      body: (async function* () {
        yield* (await incoming) as AsyncIterable<Buffer>;
      })(),
      trailers,
      cancel: () => outgoing.destroy(new Error('this side cancelled the request')),
    };
    return restOver(stream, `HTTP/1.1`, call);
  }

  async close(): Promise<void> {
    this.agent.destroy();
  }
}

const plain = (fields: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value].flat().join(', ')]));
