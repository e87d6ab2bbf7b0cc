import type { CallWire, WireTarget } from './call-wire';
import { Http1CallWire } from './http1-call.wire';
import { Http2CallWire } from './http2-call.wire';
import { Http3CallWire } from './http3-call.wire';
import { QuicGoCallWire } from './quic-go-call.wire';

/** By which calls go: the first of each is the direct one, without TLS, all others lead through the edge. */
export interface EdgeWires {
  grpc: CallWire[];
  rest: CallWire[];
  close: () => void;
}

/** @param behind ports of mail (gRPC) and of the gateway */
export async function openEdgeWires(
  behind: { mail: number; gateway: number },
  edge: Required<WireTarget> & { caFile: string },
): Promise<EdgeWires> {
  const both: CallWire[] = [await Http2CallWire.open('HTTP/2', edge), await Http3CallWire.open('HTTP/3 quiche', edge)];
  if (QuicGoCallWire.isThere) both.push(new QuicGoCallWire('HTTP/3 quic-go', edge));
  else console.error('HTTP/3 by quic-go is left out: tools/provision/provision go-http3 makes it');
  const grpc = [await Http2CallWire.open('direct', { port: behind.mail }), ...both];
  const rest = [new Http1CallWire('direct', { port: behind.gateway }), new Http1CallWire('HTTP/1.1', edge), ...both];
  return {
    grpc,
    rest,
    close: () => {
      for (const wire of new Set([...grpc, ...rest])) wire.close();
    },
  };
}
