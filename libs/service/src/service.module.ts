import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcServer, Mesh, OpenStreams } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import { HealthController } from './health.controller';
import type { Service } from './service';

/** What modules of a service ask for, besides what its module has. */
export interface ServiceParts {
  server: GrpcServer;
  streams: OpenStreams;
  mesh: Mesh;
}

/** Logs, metrics and health around the module of a service, and for all of its modules the parts that belong to the process. */
@Module({})
export class ServiceModule {
  static forRoot({ name, config, module }: Pick<Service, 'name' | 'config' | 'module'>, parts: ServiceParts): DynamicModule {
    return {
      module: ServiceModule,
      global: true,
      imports: [loggerModule(name, config), metricsModule(), TerminusModule, module],
      controllers: [HealthController],
      providers: [
        { provide: GrpcServer, useValue: parts.server },
        { provide: OpenStreams, useValue: parts.streams },
        { provide: Mesh, useValue: parts.mesh },
      ],
      exports: [GrpcServer, OpenStreams, Mesh],
    };
  }
}
