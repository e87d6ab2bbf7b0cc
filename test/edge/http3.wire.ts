import { Http3Connection } from '../http3/http3-connection';
import type { Http3Stream } from '../http3/http3-stream';
import type { QuicOptions } from '../http3/quic-connection';
import { type EdgeWire, type GrpcAnswer, type GrpcCall, grpcHeaders, type RestAnswer, type RestCall } from './edge.wire';
import { grpcOver, restOver, type StreamedCall } from './streamed-call';
import type { TestEdge } from './test-edge';

/** HTTP/3 by quiche, on one connection. */
export class Http3Wire implements EdgeWire {
  readonly name = 'HTTP/3 (quiche)';
  readonly proto = 'HTTP/3.0';

  private constructor(
    readonly connection: Http3Connection,
    private readonly authority: string,
  ) {}

  static async open(edge: TestEdge, options: Partial<QuicOptions> = {}): Promise<Http3Wire> {
    return new Http3Wire(await Http3Connection.open({ ...edge.address, ...options }), `localhost:${edge.port}`);
  }

  grpc(call: GrpcCall): Promise<GrpcAnswer> {
    return grpcOver(this.start('POST', call.path, grpcHeaders(call)), this.proto, call);
  }

  rest(call: RestCall): Promise<RestAnswer> {
    return restOver(this.start(call.method, call.path, call.headers ?? {}), this.proto, call);
  }

  async close(): Promise<void> {
    this.connection.close();
  }

  private start(method: string, path: string, headers: Record<string, string>): StreamedCall {
    const stream = this.connection.start({ method, path, authority: this.authority, headers });
    return streamedCallOf(stream);
  }
}

function streamedCallOf(stream: Http3Stream): StreamedCall {
  const head = stream.response.then(({ status, headers }) => ({ status, headers: joined(headers) }));
  const trailers = stream.trailers.then(joined);
  // Of a call that is given up nobody asks for both.
  for (const each of [head, trailers]) each.catch(() => undefined);
  return {
    write: (bytes) => stream.write(bytes),
    end: () => stream.end(),
    head,
    body: stream.body,
    trailers,
    cancel: () => stream.cancel(),
  };
}

const joined = (fields: Readonly<Record<string, string | readonly string[]>>): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, [value].flat().join(', ')]));
