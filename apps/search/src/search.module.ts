import { type DynamicModule, Module } from '@nestjs/common';
import { GrpcServer, MailClient } from '@sky-genesis/grpc';
import { Readiness } from '@sky-genesis/service';
import { DocumentsModule } from './documents/documents.module';
import { IndexedThrough } from './documents/indexed-through';
import { EngineMonitor } from './health/engine.monitor';
import { PreparedEngine } from './health/prepared.engine';
import type { SearchConfig } from './search.config';

@Module({})
export class SearchModule {
  static forRoot(config: SearchConfig, engine: DynamicModule): DynamicModule {
    return {
      module: SearchModule,
      imports: [engine, DocumentsModule.forRoot(config)],
      providers: [
        {
          provide: EngineMonitor,
          inject: [PreparedEngine, IndexedThrough, MailClient, GrpcServer],
          useFactory: (engine: PreparedEngine, through: IndexedThrough, mail: MailClient, server: GrpcServer) =>
            new EngineMonitor(engine, through, mail, server),
        },
        { provide: Readiness, useExisting: EngineMonitor },
      ],
      exports: [Readiness],
    };
  }
}
