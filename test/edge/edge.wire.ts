import { createHash } from 'node:crypto';

/** A gRPC call of any of the four kinds, as a client makes it. */
export interface GrpcCall {
  /** /package.Service/Method */
  path: string;
  metadata?: Record<string, string>;
  /** Messages, serialized. */
  requests: Buffer[];
  /** The deadline that the server is told, too; 30 s unless it is said. */
  timeoutMs?: number;
  /** Sends the next request when the answer to the one before has come. */
  pingPong?: boolean;
  /** Does not end its side when it has sent all. */
  keepOpen?: boolean;
  /** Gives up by resetting the stream: after so long, or when so many messages have come. */
  cancelAfterMs?: number;
  cancelAfterResponses?: number;
  /** Is told of each message as it comes. Not by quic-go, which is in a process of its own. */
  onResponse?: (response: Buffer) => void;
}

interface Answer {
  /** As the client's own library says: HTTP/3.0, HTTP/2.0, HTTP/1.1. Undefined: nothing was answered. */
  proto?: string | undefined;
  headers: Record<string, string>;
  trailers: Record<string, string>;
  /** Why the answer is not whole. */
  error?: string | undefined;
}

export interface GrpcAnswer extends Answer {
  httpStatus?: number | undefined;
  /** grpc-status as it is on the wire, in the trailers or in the headers; undefined: there is none. */
  status?: number | undefined;
  message: string;
  responses: Buffer[];
}

export interface RestCall {
  method: string;
  path: string;
  headers?: Record<string, string>;
  body?: Buffer;
  /** Instead of a body: so many bytes, of which the one at i is i modulo 251. */
  bodyBytes?: number;
  /** Does not end its side when it has sent all. Not by quic-go. */
  keepOpen?: boolean;
  timeoutMs?: number;
  cancelAfterMs?: number;
}

export interface RestAnswer extends Answer {
  status?: number | undefined;
  bodyBytes: number;
  bodySha256: string;
  /** Undefined: it has more than 1 MiB. */
  body?: Buffer | undefined;
}

/** One client of the edge, on one version of HTTP; every wait of it is bounded by the call's timeout. */
export interface EdgeWire {
  /** Such as `HTTP/3 (quiche)`. */
  readonly name: string;
  readonly proto: 'HTTP/3.0' | 'HTTP/2.0' | 'HTTP/1.1';
  /** Not on HTTP/1.1. */
  grpc?(call: GrpcCall): Promise<GrpcAnswer>;
  rest(call: RestCall): Promise<RestAnswer>;
  close(): Promise<void>;
}

export const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_KEPT_BYTES = 1024 * 1024;

/** What is sent for `bodyBytes`, in pieces of at most 64 KiB. */
export function* patternOf(bytes: number): Generator<Buffer> {
  const period = Buffer.from(Array.from({ length: 251 }, (_, index) => index));
  const pattern = Buffer.concat(Array.from({ length: 251 }, () => period));
  for (let left = bytes; left > 0; left -= pattern.length) yield left < pattern.length ? pattern.subarray(0, left) : pattern;
}

/** Puts an answer's body together: its hash always, its bytes as long as they are few. */
export async function readBody(body: AsyncIterable<Buffer>): Promise<Pick<RestAnswer, 'bodyBytes' | 'bodySha256' | 'body'>> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bodyBytes = 0;
  for await (const piece of body) {
    hash.update(piece);
    bodyBytes += piece.length;
    if (bodyBytes <= MAX_KEPT_BYTES) kept.push(piece);
  }
  return { bodyBytes, bodySha256: hash.digest('hex'), body: bodyBytes <= MAX_KEPT_BYTES ? Buffer.concat(kept) : undefined };
}

/** Where a call ended: of one that was refused at once the status is in the headers. */
export function grpcEnding({ headers, trailers }: Pick<Answer, 'headers' | 'trailers'>): Pick<GrpcAnswer, 'status' | 'message'> {
  const status = trailers['grpc-status'] ?? headers['grpc-status'];
  return {
    status: status === undefined ? undefined : Number(status),
    message: decodeURIComponent(trailers['grpc-message'] ?? headers['grpc-message'] ?? ''),
  };
}

/** What every gRPC request carries besides its metadata. */
export const grpcHeaders = ({ metadata = {}, timeoutMs = DEFAULT_TIMEOUT_MS }: GrpcCall): Record<string, string> => ({
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-timeout': `${timeoutMs}m`,
  ...metadata,
});
