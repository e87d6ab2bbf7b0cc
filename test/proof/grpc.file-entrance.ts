import {
  type Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type FileChunk, loadPackage, type UploadResponse } from '@sky-genesis/proto';
import type { FileContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import type { Started } from './started';

interface StreamingServiceClient extends Client {
  uploadFile(
    metadata: Metadata,
    done: (error: ServiceError | null, response: UploadResponse) => void,
  ): ClientWritableStream<Partial<FileChunk>>;
  downloadFile(request: object, metadata: Metadata): ClientReadableStream<FileChunk>;
}

/** StreamingService on one channel. */
export class GrpcFileEntrance implements FileEntrance {
  readonly name = 'gRPC';
  private readonly client: StreamingServiceClient;
  private readonly metadata = new Metadata();

  constructor(address: string, token: string, started: Started) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { StreamingService: new (address: string, secure: unknown, options: object) => StreamingServiceClient };
    };
    this.client = new contract.StreamingService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
    this.metadata.set('authorization', `Bearer ${token}`);
    started.onEnd(() => this.client.close());
  }

  async upload(content: FileContent): Promise<string> {
    let wake: () => void = () => undefined;
    let answered = false;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = this.client.uploadFile(this.metadata, (error, response) => {
      answered = true;
      wake();
      if (error) reject(error);
      else resolve(response.fileId);
    });
    promise.catch(() => undefined);
    let offset = 0;
    for (const data of content.pieces()) {
      const last = offset + data.length === content.bytes;
      await new Promise<void>((left) => {
        wake = left;
        call.write({ offset: String(offset), data, last }, () => left());
      });
      if (answered) break;
      offset += data.length;
    }
    call.end();
    return promise;
  }

  async *download(fileId: string): AsyncGenerator<Buffer> {
    const call = this.client.downloadFile({ fileId }, this.metadata);
    // That of a call that was left comes when nobody listens any more.
    call.on('error', () => undefined);
    try {
      for await (const chunk of call) yield (chunk as FileChunk).data as Buffer;
    } finally {
      call.cancel();
    }
  }
}
