import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import type { DiscoveredService } from '@sky-genesis/grpc';
import type { ServiceConfig } from './service.settings';

/** A gRPC service of the product. */
export interface Service {
  /** As etcd, certificates and logs name it. */
  name: DiscoveredService;
  /** Of the contract, by their full names: health is told for each. */
  contract: readonly string[];
  config: ServiceConfig;
  /** Has the controllers, and exports the Readiness. */
  module: DynamicModule;
  /** Once it listens: what it does besides answering. It says itself when it serves (`GrpcServer.setServing`). */
  begin(app: INestApplicationContext): Promise<Work>;
}

/** What a service does besides answering. */
export interface Work {
  /** Before the drain. */
  stop(): void;
  /** When the last call has ended. */
  end?(): Promise<void>;
}
