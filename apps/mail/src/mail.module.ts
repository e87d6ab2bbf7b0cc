import { type DynamicModule, Module } from '@nestjs/common';
import { DatabaseModule } from '@sky-genesis/database';
import { Readiness } from '@sky-genesis/service';
import { mailDatabase } from './database/mail-database';
import { EmailsModule } from './emails/emails.module';
import { EventsModule } from './events/events.module';
import { FilesModule } from './files/files.module';
import { DatabaseMonitor } from './health/database.monitor';
import type { MailConfig } from './mail.config';

@Module({})
export class MailModule {
  static forRoot(config: MailConfig): DynamicModule {
    return {
      module: MailModule,
      imports: [
        DatabaseModule.forRoot(mailDatabase(config)),
        FilesModule.forRoot(config),
        EmailsModule.forRoot(config),
        EventsModule.forRoot(config),
      ],
      providers: [DatabaseMonitor, { provide: Readiness, useExisting: DatabaseMonitor }],
      exports: [Readiness],
    };
  }
}
