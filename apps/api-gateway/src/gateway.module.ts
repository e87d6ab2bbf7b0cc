import { type DynamicModule, Module } from '@nestjs/common';
import { type ClientGrpc, ClientsModule } from '@nestjs/microservices';
import { TerminusModule } from '@nestjs/terminus';
import { AuthModule, ServiceTokens } from '@sky-genesis/auth';
import { FilesClient, grpcClientOptions, MailClient, SearchClient } from '@sky-genesis/grpc';
import { loggerModule, metricsModule } from '@sky-genesis/observability';
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
const MAIL_CHANNEL = 'MAIL_CHANNEL';
/** A connection of its own: streams may fill one up, and unary calls would wait behind them. */
const MAIL_STREAMS = 'MAIL_STREAMS';
const FILES_STREAMS = 'FILES_STREAMS';
/** Of each download: at a millisecond from the service, half a gigabyte a second; and what a client that does not read costs. */
const DOWNLOAD_WINDOW_BYTES = 524_288;
const SEARCH_CHANNEL = 'SEARCH_CHANNEL';
const SEARCH_STREAMS = 'SEARCH_STREAMS';

@Module({})
export class GatewayModule {
  static forRoot(config: GatewayConfig): DynamicModule {
    const timeoutMs = config.GRPC_TIMEOUT * 1000;
    const idleMs = config.HTTP_REQUEST_TIMEOUT_SECONDS * 1000;
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
          { name: FILES_STREAMS, ...grpcClientOptions(config.GRPC_MAIL_SERVICE_ADDR, config, true, DOWNLOAD_WINDOW_BYTES) },
          { name: SEARCH_CHANNEL, ...grpcClientOptions(config.GRPC_SEARCH_SERVICE_ADDR, config) },
          { name: SEARCH_STREAMS, ...grpcClientOptions(config.GRPC_SEARCH_SERVICE_ADDR, config, true) },
        ]),
      ],
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
        MailHealth,
        ClosingSignal,
        {
          provide: MailClient,
          inject: [MAIL_CHANNEL, MAIL_STREAMS, ServiceTokens],
          useFactory: (channel: ClientGrpc, streams: ClientGrpc, tokens: ServiceTokens) =>
            new MailClient(channel, { timeoutMs, serviceToken: () => tokens.issue(SERVICE_NAME) }, streams),
        },
        {
          provide: SearchClient,
          inject: [SEARCH_CHANNEL, SEARCH_STREAMS, ServiceTokens],
          useFactory: (channel: ClientGrpc, streams: ClientGrpc, tokens: ServiceTokens) =>
            new SearchClient(channel, { timeoutMs, serviceToken: () => tokens.issue(SERVICE_NAME) }, streams),
        },
        {
          provide: FilesClient,
          inject: [MAIL_CHANNEL, FILES_STREAMS, ServiceTokens],
          useFactory: (channel: ClientGrpc, streams: ClientGrpc, tokens: ServiceTokens) =>
            new FilesClient(channel, { timeoutMs, serviceToken: () => tokens.issue(SERVICE_NAME) }, streams),
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
