import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { decodeGrpcMessages, encodeGrpcMessage } from '#http3/grpc-frames';
import type { HeaderFields } from '#http3/header-fields';
import { Http3Connection } from '#http3/http3-connection';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import type { ProofStack } from './proof-stack';

/** For one answer, whole. */
const PATIENCE_MS = 15_000;

/** An answer as the client got it. */
export interface EdgeAnswer {
  what: string;
  /** By which the edge's log knows it. */
  requestId: string;
  /** What was agreed to be spoken (ALPN). */
  protocol: string;
  status: number;
  headers: HeaderFields;
  body: Buffer;
  trailers: HeaderFields;
  /** Whether the edge took what was sent before the handshake was done; undefined: nothing was. */
  earlyAccepted: boolean | undefined;
}

export interface GrpcEdgeAnswer<Response = unknown> extends EdgeAnswer {
  response: Response | undefined;
}

/** One HTTP/3 connection to the edge of a stack. */
export class EdgeConnection {
  private constructor(
    private readonly connection: Http3Connection,
    private readonly authority: string,
    private readonly token: string,
  ) {}

  /** @param session of an earlier connection: then what is sent before `established` goes with the first flight (0-RTT) */
  static async open(stack: ProofStack, session?: Buffer): Promise<EdgeConnection> {
    const { ports, token } = stack.description;
    const address = { host: '127.0.0.1', port: ports.edge ?? 0, serverName: 'localhost', ca: stack.edgeCa };
    const connection = await Http3Connection.open({ ...address, ...(session && { session, early: true }) });
    return new EdgeConnection(connection, `localhost:${ports.edge}`, token);
  }

  get established(): Promise<void> {
    return this.connection.established;
  }

  /** What resumes this connection, as soon as the edge gave it. */
  session(): Promise<Buffer> {
    return this.connection.session();
  }

  rest(method: string, path: string, body?: object): Promise<EdgeAnswer> {
    const what = `REST ${method} ${path.replace(/msg_.*/, ':id')}`;
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return this.exchange(what, method, path, content && { 'content-type': 'application/json' }, content);
  }

  /** A unary call. */
  async grpc<Response>(service: string, rpc: string, request: object): Promise<GrpcEdgeAnswer<Response>> {
    const { [rpc]: method } = loadPackage()[service] as unknown as Record<string, MethodDefinition<object, Response>>;
    if (!method) throw new Error(`there is no ${service}/${rpc}`);
    const headers = { 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': `${PATIENCE_MS}m` };
    const content = encodeGrpcMessage(method.requestSerialize(request));
    const answer = await this.exchange(`gRPC ${service.replace('sky_genesis.', '')}/${rpc}`, 'POST', method.path, headers, content);
    let response: Response | undefined;
    for await (const message of decodeGrpcMessages(Readable.from([answer.body]))) response = method.responseDeserialize(message);
    return { ...answer, response };
  }

  close(): void {
    this.connection.close();
  }

  private async exchange(what: string, method: string, path: string, more: HeaderFields = {}, content?: Buffer): Promise<EdgeAnswer> {
    const requestId = randomUUID();
    const headers = { ...more, authorization: `Bearer ${this.token}`, 'x-request-id': requestId };
    const stream = this.connection.request({ method, path, authority: this.authority, headers }, content);
    const giveUp = setTimeout(() => stream.cancel(), PATIENCE_MS);
    try {
      const { status, headers } = await stream.response;
      const body = await buffer(stream.body);
      const trailers = await stream.trailers;
      const { protocol, earlyAccepted } = this.connection;
      return { what, requestId, protocol, status, headers, body, trailers, earlyAccepted };
    } finally {
      clearTimeout(giveUp);
    }
  }
}
