import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule, ServiceTokens } from '@sky-genesis/auth';
import { FilesClient, MailClient, Mesh, SearchClient, ServiceClients } from '@sky-genesis/grpc';
import { loggerModule, metricsModule, observeCertificates } from '@sky-genesis/observability';
import type { GatewayConfig } from './gateway.config';
import { EventStream } from './events/event.stream';
import { EventsController } from './events/events.controller';
import { DownloadsController } from './files/downloads.controller';
import { FilesController } from './files/files.controller';
import { TusOptionsController } from './files/tus/tus-options.controller';
import { TusController } from './files/tus/tus.controller';
import { TusHandler } from './files/tus/tus.handler';
import { UploadHandler } from './files/upload.handler';
import { HealthController } from './health/health.controller';
import { MailHealth } from './health/mail.health';
import { ClosingSignal } from './http/closing.signal';
import { NdjsonRouteHandler } from './http/ndjson-route.handler';
import { MailBulkController } from './mail/bulk.controller';
import { MailController } from './mail/mail.controller';
import { DocumentBulkController } from './search/bulk.controller';
import { DocumentsController } from './search/documents.controller';
import { SearchController } from './search/search.controller';

const SERVICE_NAME = 'api-gateway';

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    const timeoutMs = config.GRPC_TIMEOUT * 1000;
    const idleMs = config.HTTP_REQUEST_TIMEOUT_SECONDS * 1000;
    return {
      module: GatewayModule,
      imports: [loggerModule(SERVICE_NAME, config), metricsModule(), AuthModule.forRoot(config), TerminusModule.forRoot({ logger: false })],
      controllers: [
        MailBulkController,
        MailController,
        EventsController,
        SearchController,
        DocumentBulkController,
        DocumentsController,
        FilesController,
        DownloadsController,
        TusController,
        TusOptionsController,
        HealthController,
      ],
      providers: [
        {
          provide: Mesh,
          useFactory: () => {
            const mesh = new Mesh(config);
            if (mesh.certificates) observeCertificates(mesh.certificates);
            return mesh;
          },
        },
        MailHealth,
        ClosingSignal,
        {
          provide: ServiceClients,
          inject: [Mesh, ServiceTokens],
          useFactory: (mesh: Mesh, tokens: ServiceTokens) =>
            new ServiceClients({ mesh, limits: config, serviceToken: () => tokens.issue(SERVICE_NAME) }),
        },
        {
          provide: MailClient,
          inject: [ServiceClients],
          useFactory: (services: ServiceClients) => services.mail(config.GRPC_MAIL_SERVICE_ADDR),
        },
        {
          provide: SearchClient,
          inject: [ServiceClients],
          useFactory: (services: ServiceClients) => services.search(config.GRPC_SEARCH_SERVICE_ADDR),
        },
        {
          provide: FilesClient,
          inject: [ServiceClients],
          useFactory: (services: ServiceClients) => services.files(config.GRPC_MAIL_SERVICE_ADDR),
        },
        {
          provide: UploadHandler,
          inject: [FilesClient],
          useFactory: (files: FilesClient) => new UploadHandler(files, { idleMs, timeoutMs }),
        },
        {
          provide: TusHandler,
          inject: [FilesClient, UploadHandler],
          useFactory: (files: FilesClient, uploads: UploadHandler) => new TusHandler(files, uploads, { idleMs, timeoutMs }),
        },
        {
          provide: EventStream,
          inject: [MailClient, ClosingSignal],
          useFactory: (mail: MailClient, closing: ClosingSignal) => new EventStream(mail, closing, timeoutMs),
        },
        {
          provide: NdjsonRouteHandler,
          inject: [ClosingSignal],
          useFactory: (closing: ClosingSignal) =>
            new NdjsonRouteHandler({ maxMessageBytes: config.GRPC_MAX_MESSAGE_SIZE, idleMs }, closing),
        },
      ],
    };
  }
}
