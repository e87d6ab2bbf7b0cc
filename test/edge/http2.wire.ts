import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { type EdgeWire, type GrpcAnswer, type GrpcCall, grpcHeaders, type RestAnswer, type RestCall } from './edge.wire';
import { grpcOver, restOver, type StreamedCall } from './streamed-call';
import type { TestEdge } from './test-edge';

/** HTTP/2 by Node, on one connection. */
export class Http2Wire implements EdgeWire {
  readonly name = 'HTTP/2 (Node)';
  readonly proto = 'HTTP/2.0';

  private constructor(private readonly session: ClientHttp2Session) {}

  /** @param localAddress that the edge sees the client at, of loopback */
  static async open({ url, ca }: Pick<TestEdge, 'url' | 'ca'>, localAddress = '127.0.0.1'): Promise<Http2Wire> {
    // Its types leave out what it hands on to TLS.
    const options: SecureClientSessionOptions & { localAddress: string } = { ca, localAddress, maxSendHeaderBlockLength: 1024 * 1024 };
    const session = connect(url, options);
    await once(session, 'connect');
    // Its streams tell of it.
    session.on('error', () => undefined);
    return new Http2Wire(session);
  }

  grpc(call: GrpcCall): Promise<GrpcAnswer> {
    return grpcOver(this.start('POST', call.path, grpcHeaders(call)), this.proto, call);
  }

  rest(call: RestCall): Promise<RestAnswer> {
    // As clients do: a request without a body ends with its headers.
    const hasBody = call.body !== undefined || call.bodyBytes !== undefined || call.keepOpen === true;
    return restOver(this.start(call.method, call.path, call.headers ?? {}, !hasBody), this.proto, call);
  }

  async close(): Promise<void> {
    this.session.destroy();
  }

  private start(method: string, path: string, headers: Record<string, string>, endStream = false): StreamedCall {
    return streamedCallOf(this.session.request({ ':method': method, ':path': path, ...headers }, { endStream }));
  }
}

function streamedCallOf(stream: ClientHttp2Stream): StreamedCall {
  let failure: Error | undefined;
  stream.on('error', (error) => (failure = error));
  const head = new Promise<{ status: number; headers: Record<string, string> }>((resolve, reject) => {
    stream.once('response', (fields) => resolve({ status: Number(fields[':status']), headers: plain(fields) }));
    stream.once('close', () => reject(failure ?? new Error(`the stream ended with ${stream.rstCode}`)));
  });
  let last: Record<string, string> | undefined;
  stream.once('trailers', (fields) => (last = plain(fields)));
  const closed = new Promise<void>((resolve) => void stream.once('close', () => resolve()));
  // The body of a stream that breaks with its connection ends as if it was whole.
  const trailers = closed.then(() => {
    if (stream.aborted && !last) throw failure ?? new Error(`the stream ended with ${stream.rstCode}`);
    return last ?? {};
  });
  // Of a call that is given up nobody asks for both.
  for (const each of [head, trailers]) each.catch(() => undefined);
  return {
    write: async (bytes) => {
      if (stream.destroyed) throw failure ?? new Error('the stream is over');
      if (!stream.write(bytes)) await Promise.race([once(stream, 'drain'), closed]);
    },
    end: async () => void stream.end(),
    head,
    body: stream,
    trailers,
    cancel: () => stream.close(constants.NGHTTP2_CANCEL),
  };
}

const plain = (fields: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (name.startsWith(':') ? [] : [[name, [value].flat().join(', ')]])));
