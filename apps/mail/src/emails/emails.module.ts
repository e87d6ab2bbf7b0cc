import { type DynamicModule, Module } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import { DeliveryModule } from '../delivery/delivery.module';
import type { MailConfig } from '../mail.config';
import { AcceptEmail } from './accept-email';
import { AcceptQueue } from './accept.queue';
import { AcceptStore } from './accept.store';
import { CancelEmail } from './cancel-email';
import { EmailLimits } from './email-limits';
import { EmailStore } from './email.store';
import { EmailsGrpcController } from './emails.grpc.controller';
import { IdempotencyWorker } from './idempotency.worker';
import { ListEmails } from './list-emails';
import { ResolutionStore } from './resolution.store';
import { ResolveEmail } from './resolve-email';
import { SubmitEmails } from './submit-emails';
import { SubmitEmailsGrpcController } from './submit-emails.grpc.controller';

@Module({})
export class EmailsModule {
  static forRoot(config: MailConfig): DynamicModule {
    const limits = new EmailLimits(
      config.MAIL_MAX_RECIPIENTS,
      config.MAIL_MAX_TEXT_BYTES,
      config.MAIL_MAX_ATTACHMENTS,
      config.MAIL_MAX_ATTACHMENT_BYTES,
      config.MAIL_MAX_HEADERS,
      config.MAIL_MAX_HEADER_BYTES,
      config.MAIL_EXPIRY_SECONDS,
    );
    return {
      module: EmailsModule,
      imports: [DeliveryModule.forRoot(config)],
      controllers: [EmailsGrpcController, SubmitEmailsGrpcController],
      providers: [
        { provide: EmailLimits, useValue: limits },
        {
          provide: AcceptStore,
          useFactory: (database: DatabaseClient) => new AcceptStore(database, { maxQueuedPerTenant: config.MAIL_MAX_QUEUED_PER_TENANT }),
          inject: [DatabaseClient],
        },
        AcceptQueue,
        AcceptEmail,
        {
          provide: SubmitEmails,
          useFactory: (accept: AcceptEmail) => new SubmitEmails(accept, config.GRPC_STREAM_IDLE_TIMEOUT * 1000),
          inject: [AcceptEmail],
        },
        {
          provide: EmailStore,
          useFactory: (database: DatabaseClient) => new EmailStore(database, { onUncertain: config.MAIL_ON_UNCERTAIN }),
          inject: [DatabaseClient],
        },
        ListEmails,
        CancelEmail,
        ResolutionStore,
        ResolveEmail,
        IdempotencyWorker,
      ],
    };
  }
}
