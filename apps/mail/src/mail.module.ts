import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { GrpcServer } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import { DatabaseClient } from './database/database.client';
import { DatabaseModule } from './database/database.module';
import { EmailsModule } from './emails/emails.module';
import { DatabaseMonitor } from './health/database.monitor';
import { HealthController } from './health/health.controller';
import type { MailConfig } from './mail.config';

@Module({})
export class MailModule {
  static forRoot(config: MailConfig, server: GrpcServer): DynamicModule {
    return {
      module: MailModule,
      imports: [
        loggerModule('mail', config),
        metricsModule(),
        TerminusModule,
        DatabaseModule.forRoot(config),
        EmailsModule.forRoot(config),
      ],
      controllers: [HealthController],
      providers: [
        {
          provide: DatabaseMonitor,
          useFactory: (database: DatabaseClient) => new DatabaseMonitor(database, server),
          inject: [DatabaseClient],
        },
      ],
    };
  }
}
