import type { Server } from '@grpc/grpc-js';
import { Gauge } from 'prom-client';

/** What grpc-js keeps of its listening sockets: private, so nothing of it is taken for granted. */
interface Listening {
  http2Servers?: ReadonlyMap<unknown, { sessions?: ReadonlySet<unknown> }>;
}

const observed = new Set<WeakRef<Server>>();

new Gauge({
  name: 'grpc_active_connections',
  help: 'HTTP/2 connections to the gRPC server that are open.',
  collect() {
    this.set([...observed].reduce((total, reference) => total + connectionsOf(reference), 0));
  },
});

/**
 * Counts the connections of a server in `grpc_active_connections`, when that is read: at whatever time ports are bound,
 * and without a listener of its own.
 */
export function observeConnections(server: Server): void {
  observed.add(new WeakRef(server));
}

function connectionsOf(reference: WeakRef<Server>): number {
  const server = reference.deref();
  if (!server) {
    observed.delete(reference);
    return 0;
  }
  let connections = 0;
  for (const { sessions } of (server as unknown as Listening).http2Servers?.values() ?? []) connections += sessions?.size ?? 0;
  return connections;
}
