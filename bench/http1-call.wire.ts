import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CallWire, WireAnswer, WireRequest, WireTarget } from './call-wire';

/** HTTP/1.1 by Node, over connections that are kept. */
export class Http1CallWire implements CallWire {
  private readonly agent: Agent;
  private readonly request: typeof request;

  constructor(
    readonly name: string,
    private readonly target: WireTarget,
  ) {
    const { ca } = target;
    this.agent = ca === undefined ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ca });
    this.request = ca === undefined ? request : tlsRequest;
  }

  async send({ method, path, headers, body }: WireRequest): Promise<WireAnswer> {
    const options = { host: '127.0.0.1', port: this.target.port, servername: 'localhost', method, path, headers, agent: this.agent };
    const outgoing = this.request(options);
    const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
    if (typeof body === 'function') await pipeline(Readable.from(body(), { highWaterMark: 1 }), outgoing);
    else outgoing.end(body);
    const [answer] = await answered;
    let bytes = 0;
    answer.on('data', (piece: Buffer) => (bytes += piece.length));
    await once(answer, 'end');
    return { status: answer.statusCode ?? 0, grpcStatus: undefined, bytes };
  }

  close(): void {
    this.agent.destroy();
  }
}
