import { type EdgeWire, type GrpcAnswer, type GrpcCall, type RestAnswer, type RestCall } from './edge.wire';
import { GoClient } from './go.client';
import type { TestEdge } from './test-edge';

/** HTTP/3 by quic-go: a client that has no line in common with the other. */
export class GoWire implements EdgeWire {
  readonly name = 'HTTP/3 (quic-go)';
  readonly proto = 'HTTP/3.0';

  private constructor(readonly client: GoClient) {}

  static async open({ url, caFile }: TestEdge): Promise<GoWire> {
    return new GoWire(new GoClient(url, caFile));
  }

  grpc(call: GrpcCall): Promise<GrpcAnswer> {
    return this.client.grpc(call);
  }

  rest(call: RestCall): Promise<RestAnswer> {
    return this.client.rest(call);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
