import { type DynamicModule, Module } from '@nestjs/common';
import { type ClientGrpc, ClientsModule } from '@nestjs/microservices';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule, ServiceTokens } from '@sky-genesis/auth';
import { grpcClientOptions, MailClient } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
import type { GatewayConfig } from './gateway.config';
import { HealthController } from './health/health.controller';
import { MailHealth } from './health/mail.health';
import { MailController } from './mail/mail.controller';

const SERVICE_NAME = 'api-gateway';
const MAIL_CHANNEL = 'MAIL_CHANNEL';

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        loggerModule(SERVICE_NAME, config),
        metricsModule(),
        AuthModule.forRoot(config),
        TerminusModule.forRoot({ logger: false }),
        ClientsModule.register([{ name: MAIL_CHANNEL, ...grpcClientOptions(config.GRPC_MAIL_SERVICE_ADDR, config) }]),
      ],
      controllers: [MailController, HealthController],
      providers: [
        MailHealth,
        {
          provide: MailClient,
          inject: [MAIL_CHANNEL, ServiceTokens],
          useFactory: (channel: ClientGrpc, tokens: ServiceTokens) =>
            new MailClient(channel, { timeoutMs: config.GRPC_TIMEOUT * 1000, serviceToken: () => tokens.issue(SERVICE_NAME) }),
        },
      ],
    };
  }
}
