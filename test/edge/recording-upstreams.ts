import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type Behind, TestEdge } from './test-edge';

/** One request as it came out of the edge. */
export interface Passed {
  line: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** In the place of the gateway and of the services: keeps what the edge passes on, and answers it. */
export class RecordingUpstreams {
  /** In order, once whole. */
  readonly passed: Passed[] = [];

  private constructor(
    private readonly rest: Server,
    private readonly grpc: Http2Server,
  ) {
    rest.on('request', (request, response) => {
      void buffer(request)
        .then((body) => {
          this.keep(`${request.method} ${request.url}`, request.headers, body);
          response.end('passed');
        })
        .catch(() => undefined);
    });
    grpc.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      void buffer(stream)
        .then((body) => {
          this.keep(`${headers[':method']} ${headers[':path']}`, headers, body);
          stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
        })
        .catch(() => undefined);
    });
  }

  static async start(): Promise<RecordingUpstreams> {
    const upstreams = new RecordingUpstreams(createServer(), createHttp2());
    for (const server of upstreams.servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return upstreams;
  }

  get behind(): Behind {
    const [gateway, services] = this.servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`) as [string, string];
    return { gateway, mail: services, search: services };
  }

  /** An edge before these, both for the suite at hand, in which no worker of nginx may die. */
  static forSuite(): { readonly edge: TestEdge; readonly upstreams: RecordingUpstreams } {
    const running = {} as { edge: TestEdge; upstreams: RecordingUpstreams };
    beforeAll(async () => {
      running.upstreams = await RecordingUpstreams.start();
      running.edge = await TestEdge.start(running.upstreams.behind);
    }, 30_000);
    afterAll(async () => {
      await running.edge?.remove();
      running.upstreams?.close();
    });
    afterEach(() => expect(running.edge.errors).not.toContain('exited on signal'));
    return running;
  }

  /** What came since it was asked last. */
  take(): Passed[] {
    return this.passed.splice(0);
  }

  close(): void {
    this.rest.closeAllConnections();
    for (const server of this.servers) server.close();
  }

  private get servers(): (Server | Http2Server)[] {
    return [this.rest, this.grpc];
  }

  private keep(line: string, headers: IncomingHttpHeaders, body: Buffer): void {
    this.passed.push({ line, headers, body: body.toString('latin1') });
  }
}
