import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcServer, MailClient, Mesh, OpenStreams } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import { DocumentsModule } from './documents/documents.module';
import { IndexedThrough } from './documents/indexed-through';
import { EngineMonitor } from './health/engine.monitor';
import { HealthController } from './health/health.controller';
import { PreparedEngine } from './health/prepared.engine';
import type { SearchConfig } from './search.config';

@Module({})
export class SearchModule {
  static forRoot(config: SearchConfig, engine: DynamicModule, server: GrpcServer, streams: OpenStreams, mesh: Mesh): DynamicModule {
    return {
      module: SearchModule,
      // For OpenStreams and Mesh, which every module with streams or clients asks for.
      global: true,
      imports: [loggerModule('search', config), metricsModule(), TerminusModule, engine, DocumentsModule.forRoot(config)],
      controllers: [HealthController],
      providers: [
        {
          provide: EngineMonitor,
          inject: [PreparedEngine, IndexedThrough, MailClient],
          useFactory: (prepared: PreparedEngine, through: IndexedThrough, mail: MailClient) =>
            new EngineMonitor(prepared, through, mail, server),
        },
        { provide: OpenStreams, useValue: streams },
        { provide: GrpcServer, useValue: server },
        { provide: Mesh, useValue: mesh },
      ],
      exports: [OpenStreams, Mesh],
    };
  }
}
