import { experimental, Metadata, status } from '@grpc/grpc-js';
import { beyondCall } from '../beyond-call';
import { parseHostPort } from './host-port';
import type { Endpoints, ServiceEndpoints } from './service.endpoints';

/** Who knows the endpoints of a target, by the authority of its URI: each Discovery has its own. */
const discoveries = new Map<string, (path: string) => ServiceEndpoints>();

/**
 * How grpc-js finds the instances of a service: `etcd://<discovery>/<service>` and `list://<discovery>/<service>/<address>,...`.
 * The name of the service is the default authority, and so the name that a TLS certificate is asked for.
 *
 * It tells a channel what has changed, when it has changed. Never in answer to updateResolution(): round_robin asks for it
 * whenever a connection ends and at each new set builds all connections anew, so that an answer makes it spin.
 */
export class MeshResolver implements experimental.Resolver {
  private unsubscribe: (() => void) | undefined;

  constructor(
    private readonly target: experimental.GrpcUri,
    private readonly listener: experimental.ResolverListener,
  ) {}

  static getDefaultAuthority({ path }: experimental.GrpcUri): string {
    return path.split('/', 1)[0]!;
  }

  updateResolution(): void {
    const { authority = '', path } = this.target;
    // grpc-js asks in the context of whichever call is first: what is begun here is for all.
    this.unsubscribe ??= beyondCall(() =>
      discoveries
        .get(authority)?.(path)
        .subscribe((endpoints) => this.push(endpoints)),
    );
  }

  destroy(): void {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
  }

  private push(endpoints: Endpoints): void {
    const service = MeshResolver.getDefaultAuthority(this.target);
    if ('failure' in endpoints) return this.fail(endpoints.failure);
    const list: experimental.Endpoint[] = endpoints.addresses.map((address) => ({ addresses: [parseHostPort(address)] }));
    this.listener(experimental.statusOrFromValue(list), {}, null, `instances of ${service}`);
    // An empty list alone leaves calls waiting for what is not there; an error alone leaves the old connections in use.
    if (list.length === 0) this.fail(`no instance of ${service} is registered`);
  }

  private fail(details: string): void {
    const error = experimental.statusOrFromError<experimental.Endpoint[]>({ code: status.UNAVAILABLE, details, metadata: new Metadata() });
    this.listener(error, {}, null, details);
  }
}

/** @returns takes it back */
export function makeResolvable(discovery: string, endpointsOf: (path: string) => ServiceEndpoints): () => void {
  for (const scheme of ['etcd', 'list']) experimental.registerResolver(scheme, MeshResolver);
  discoveries.set(discovery, endpointsOf);
  return () => discoveries.delete(discovery);
}
