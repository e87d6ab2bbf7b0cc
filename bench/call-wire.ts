/** One request as it is on the wire; gRPC's are POST with framed messages. */
export interface WireRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: Buffer | (() => Iterable<Buffer>) | undefined;
}

export interface WireAnswer {
  status: number;
  /** As in the trailers, or in the headers of a call that was refused; undefined where it is no gRPC. */
  grpcStatus: string | undefined;
  /** Of the body, which is counted and not looked at. */
  bytes: number;
}

/** One client, on one version of HTTP. */
export interface CallWire {
  readonly name: string;
  /** Of the process that it runs in, where that is not this one. */
  readonly pid?: number | undefined;
  send(request: WireRequest): Promise<WireAnswer>;
  close(): void;
}

/** Where a wire leads, on loopback. */
export interface WireTarget {
  port: number;
  /** PEM, of the server `localhost`; without it there is no TLS. */
  ca?: string;
}

/** @throws Error for anything but success, in HTTP and in gRPC */
export async function succeed(wire: CallWire, request: WireRequest): Promise<WireAnswer> {
  const answer = await wire.send(request);
  if (Math.floor(answer.status / 100) === 2 && (answer.grpcStatus ?? '0') === '0') return answer;
  throw new Error(`${request.method} ${request.path} by ${wire.name}: ${answer.status}, grpc-status ${answer.grpcStatus}`);
}
