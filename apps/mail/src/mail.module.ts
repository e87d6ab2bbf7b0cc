import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcServer, Mesh, OpenStreams } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import { DatabaseClient, DatabaseModule } from '@sky-genesis/database';
import { mailDatabase } from './database/mail-database';
import { EmailsModule } from './emails/emails.module';
import { EventsModule } from './events/events.module';
import { FilesModule } from './files/files.module';
import { DatabaseMonitor } from './health/database.monitor';
import { HealthController } from './health/health.controller';
import type { MailConfig } from './mail.config';

@Module({})
export class MailModule {
  static forRoot(config: MailConfig, server: GrpcServer, streams: OpenStreams, mesh: Mesh): DynamicModule {
    return {
      module: MailModule,
      // For OpenStreams and Mesh, which every module with streams or clients asks for.
      global: true,
      imports: [
        loggerModule('mail', config),
        metricsModule(),
        TerminusModule,
        DatabaseModule.forRoot(mailDatabase(config)),
        FilesModule.forRoot(config),
        EmailsModule.forRoot(config),
        EventsModule.forRoot(config),
      ],
      controllers: [HealthController],
      providers: [
        {
          provide: DatabaseMonitor,
          useFactory: (database: DatabaseClient) => new DatabaseMonitor(database, server),
          inject: [DatabaseClient],
        },
        { provide: OpenStreams, useValue: streams },
        { provide: GrpcServer, useValue: server },
        { provide: Mesh, useValue: mesh },
      ],
      exports: [OpenStreams, Mesh],
    };
  }
}
