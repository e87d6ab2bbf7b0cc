import type { Server, ServerWritableStream } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

type Watch = ServerWritableStream<{ service: string }, { status: string }>;
type WatchHandler = (call: Watch) => void;

/**
 * grpc.health.v1 for names that are known from the start. Beyond the library: it does not remember a Watch for any other
 * name (health is open to everyone, and the library keeps each name for ever), and Watches can be ended.
 */
export class ServerHealth {
  private readonly health: HealthImplementation;
  private readonly watches = new Set<Watch>();

  /** `names`: full service names, '' for the server as a whole. All begin as NOT_SERVING. */
  constructor(private readonly names: readonly string[]) {
    this.health = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  }

  setServing(serving: boolean): void {
    for (const name of this.names) this.health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  }

  addToServer(server: Server): void {
    this.health.addToServer({
      addService: (service, { watch, ...handlers }) =>
        server.addService(service, { ...handlers, watch: (call: Watch) => this.watch(call, watch as unknown as WatchHandler) }),
    });
  }

  /** An open Watch would hold up the drain of the server until it is cut. */
  endWatches(): void {
    for (const watch of this.watches) watch.end();
  }

  private watch(call: Watch, watchKnown: WatchHandler): void {
    this.watches.add(call);
    call.once('cancelled', () => this.watches.delete(call));
    if (this.names.includes(call.request.service)) watchKnown(call);
    else call.write({ status: 'SERVICE_UNKNOWN' });
  }
}
