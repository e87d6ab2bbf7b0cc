import { type DynamicModule, Module } from '@nestjs/common';
import { type ClientGrpc, ClientsModule } from '@nestjs/microservices';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule, ServiceTokens } from '@sky-genesis/auth';
import { grpcClientOptions, MailClient } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import type { GatewayConfig } from './gateway.config';
import { EventStream } from './events/event.stream';
import { EventsController } from './events/events.controller';
import { HealthController } from './health/health.controller';
import { MailHealth } from './health/mail.health';
import { ClosingSignal } from './http/closing.signal';
import { BulkController } from './mail/bulk.controller';
import { BulkSettings } from './mail/bulk.stream';
import { MailController } from './mail/mail.controller';

const SERVICE_NAME = 'api-gateway';
const MAIL_CHANNEL = 'MAIL_CHANNEL';
/** A connection of its own: streams may fill one up, and unary calls would wait behind them. */
const MAIL_STREAMS = 'MAIL_STREAMS';

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    const timeoutMs = config.GRPC_TIMEOUT * 1000;
    return {
      module: GatewayModule,
      imports: [
        loggerModule(SERVICE_NAME, config),
        metricsModule(),
        AuthModule.forRoot(config),
        TerminusModule.forRoot({ logger: false }),
        ClientsModule.register([
          { name: MAIL_CHANNEL, ...grpcClientOptions(config.GRPC_MAIL_SERVICE_ADDR, config) },
          { name: MAIL_STREAMS, ...grpcClientOptions(config.GRPC_MAIL_SERVICE_ADDR, config, true) },
        ]),
      ],
      controllers: [BulkController, MailController, EventsController, HealthController],
      providers: [
        MailHealth,
        ClosingSignal,
        {
          provide: MailClient,
          inject: [MAIL_CHANNEL, MAIL_STREAMS, ServiceTokens],
          useFactory: (channel: ClientGrpc, streams: ClientGrpc, tokens: ServiceTokens) =>
            new MailClient(channel, { timeoutMs, serviceToken: () => tokens.issue(SERVICE_NAME) }, streams),
        },
        {
          provide: EventStream,
          inject: [MailClient, ClosingSignal],
          useFactory: (mail: MailClient, closing: ClosingSignal) => new EventStream(mail, closing, timeoutMs),
        },
        {
          provide: BulkSettings,
          useValue: new BulkSettings(config.GRPC_MAX_MESSAGE_SIZE, config.HTTP_REQUEST_TIMEOUT_SECONDS * 1000),
        },
      ],
    };
  }
}
