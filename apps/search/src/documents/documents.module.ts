import { type DynamicModule, Module } from '@nestjs/common';
import { ServiceTokens } from '@sky-genesis/auth';
import { MailClient, Mesh, ServiceClients } from '@sky-genesis/grpc';
import { SearchEngine } from '../engines/search.engine';
import { PreparedEngine } from '../health/prepared.engine';
import type { SearchConfig } from '../search.config';
import { DegradedSearch } from './degraded-search';
import { DeletionsWorker } from './deletions.worker';
import { DocumentsGrpcController } from './documents.grpc.controller';
import { FindableQueue } from './findable.queue';
import { IndexDocuments } from './index-documents';
import { IndexDocumentsGrpcController } from './index-documents.grpc.controller';
import { IndexStream } from './index-stream';
import { IndexedThrough } from './indexed-through';
import { PageTokens } from './page-token';
import { SearchDocuments } from './search-documents';
import { WriteQueue } from './write.queue';

const SERVICE_NAME = 'search';
/** What an answer has beside its results: the page token, names of fields, headers. */
const BESIDE_RESULTS_BYTES = 16 * 1024;

@Module({})
export class DocumentsModule {
  static forRoot(config: SearchConfig): DynamicModule {
    const timeoutMs = config.GRPC_TIMEOUT * 1000;
    const limits = { answerBytes: Math.max(0, config.GRPC_MAX_MESSAGE_SIZE - BESIDE_RESULTS_BYTES), timeoutMs };
    const pageTokens = new PageTokens(Buffer.from(config.PAGE_TOKEN_KEY, 'base64url'), config.PAGE_TOKEN_SECONDS);
    return {
      module: DocumentsModule,
      controllers: [DocumentsGrpcController, IndexDocumentsGrpcController],
      providers: [
        {
          provide: ServiceClients,
          inject: [Mesh],
          useFactory: (mesh: Mesh) => {
            const tokens = new ServiceTokens(config.SERVICE_KEY);
            return new ServiceClients({ mesh, limits: config, serviceToken: () => tokens.issue(SERVICE_NAME) });
          },
        },
        {
          provide: MailClient,
          inject: [ServiceClients],
          useFactory: (services: ServiceClients) => services.mail(config.GRPC_MAIL_SERVICE_ADDR),
        },
        { provide: IndexedThrough, inject: [SearchEngine], useFactory: (engine: SearchEngine) => new IndexedThrough(engine) },
        { provide: FindableQueue, inject: [SearchEngine], useFactory: (engine: SearchEngine) => new FindableQueue(engine) },
        { provide: DegradedSearch, inject: [MailClient], useFactory: (mail: MailClient) => new DegradedSearch(mail) },
        {
          provide: SearchDocuments,
          inject: [PreparedEngine, IndexedThrough, FindableQueue, DegradedSearch],
          useFactory: (engine: PreparedEngine, through: IndexedThrough, findable: FindableQueue, degraded: DegradedSearch) =>
            new SearchDocuments(engine, through, findable, degraded, pageTokens, limits),
        },
        WriteQueue,
        IndexDocuments,
        {
          provide: IndexStream,
          inject: [IndexDocuments, SearchEngine, IndexedThrough],
          useFactory: (documents: IndexDocuments, engine: SearchEngine, through: IndexedThrough) =>
            new IndexStream(documents, engine, through, config.GRPC_STREAM_IDLE_TIMEOUT * 1000),
        },
        DeletionsWorker,
      ],
      exports: [IndexedThrough, MailClient],
    };
  }
}
