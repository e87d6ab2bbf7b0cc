import type { EdgeWire } from './edge.wire';
import { GoWire } from './go.wire';
import { Http1Wire } from './http1.wire';
import { Http2Wire } from './http2.wire';
import { Http3Wire } from './http3.wire';
import type { TestEdge } from './test-edge';

/** For `test.each`: what a wire is called, and a new one. */
export type NamedWire = [name: string, open: (edge: TestEdge) => Promise<EdgeWire>];

const http3: NamedWire = ['HTTP/3', (edge) => Http3Wire.open(edge)];
const http3ByGo: NamedWire = ['HTTP/3 by quic-go', async (edge) => new GoWire(edge)];
const http2: NamedWire = ['HTTP/2', (edge) => Http2Wire.open(edge)];
const http1: NamedWire = ['HTTP/1.1', async (edge) => new Http1Wire(edge)];

/** A client of each version of HTTP. */
export const versions = [http3, http2, http1];

/** Two clients of HTTP/3 that have no line in common, and one of each other version. */
export const restWires = [http3, http3ByGo, http2, http1];

/** Those that carry gRPC: there is none on HTTP/1.1. */
export const grpcWires = [http3, http3ByGo, http2];
