import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

export type UpstreamAnswer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** What nginx passes requests on to: answers each path as the test says, 404 else. */
export class Http2Upstream {
  /** The paths that were asked for, in order. */
  readonly asked: string[] = [];
  private readonly answers = new Map<string, UpstreamAnswer>();
  private readonly sessions = new Set<ServerHttp2Session>();

  private constructor(private readonly server: Http2Server) {
    server.on('session', (session) => this.sessions.add(session.on('close', () => this.sessions.delete(session))));
    server.on('stream', (stream, headers) => {
      const path = String(headers[':path']);
      this.asked.push(path);
      stream.on('error', () => undefined);
      const answer = this.answers.get(path) ?? (() => stream.respond({ ':status': 404 }, { endStream: true }));
      answer(stream, headers);
    });
  }

  static async started(): Promise<Http2Upstream> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Http2Upstream(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on that path is answered so. */
  on(path: string, answer: UpstreamAnswer): void {
    this.answers.set(path, answer);
  }

  timesAsked(path: string): number {
    return this.asked.filter((asked) => asked === path).length;
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}
