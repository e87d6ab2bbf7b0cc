import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Logger } from '@nestjs/common';
import { GrpcStreamCall } from '@nestjs/microservices';
import { callContext, OpenStreams, serveDuplex } from '@sky-genesis/grpc';
import type { IndexDocumentsRequest, IndexDocumentsResponse } from '@sky-genesis/proto';
import { toIndexDocumentsResponses, toIndexMessage } from './documents.mapper';
import { IndexStream } from './index-stream';

/** SearchService/IndexDocuments: translates a call into what IndexStream reads and writes. */
@Controller()
export class IndexDocumentsGrpcController {
  private readonly logger = new Logger(IndexDocumentsGrpcController.name);

  constructor(
    private readonly indexing: IndexStream,
    private readonly streams: OpenStreams,
  ) {}

  @GrpcStreamCall('SearchService', 'IndexDocuments')
  indexDocuments(call: ServerDuplexStream<IndexDocumentsRequest, IndexDocumentsResponse>): Promise<void> {
    const requestId = callContext.getStore()?.requestId;
    return serveDuplex(call, {
      streams: this.streams,
      toMessage: toIndexMessage,
      toResponses: toIndexDocumentsResponses,
      run: (stream, caller) => this.indexing.run(stream, caller),
      log: (err) => this.logger.error({ err, requestId }, 'IndexDocuments failed with an error not foreseen'),
    });
  }
}
