import {
  type Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { type DeleteFileResponse, type FileChunk, loadPackage, type UploadResponse } from '@sky-genesis/proto';
import type { FileContent, FileWire } from './file-wire';

type Answered<Response> = (error: ServiceError | null, response: Response) => void;

interface StreamingServiceClient extends Client {
  uploadFile(metadata: Metadata, done: Answered<UploadResponse>): ClientWritableStream<Partial<FileChunk>>;
  downloadFile(request: object, metadata: Metadata): ClientReadableStream<FileChunk>;
  deleteFile(request: object, metadata: Metadata, done: Answered<DeleteFileResponse>): void;
}

/** StreamingService on one channel. */
export class GrpcFileWire implements FileWire {
  readonly name = 'gRPC';
  private readonly client: StreamingServiceClient;
  private readonly metadata = new Metadata();

  constructor(address: string, token: string) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { StreamingService: new (address: string, secure: unknown, options: object) => StreamingServiceClient };
    };
    this.client = new contract.StreamingService(address, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
    this.metadata.set('authorization', `Bearer ${token}`);
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
      const chunk = { offset: String(offset), data, last, ...(offset === 0 && { totalSize: String(content.bytes) }) };
      await new Promise<void>((left) => {
        wake = left;
        call.write(chunk, () => left());
      });
      if (answered) break;
      offset += data.length;
    }
    call.end();
    return promise;
  }

  async download(id: string): Promise<number> {
    let bytes = 0;
    for await (const chunk of this.client.downloadFile({ fileId: id }, this.metadata)) bytes += (chunk as FileChunk).data.length;
    return bytes;
  }

  remove(id: string): Promise<void> {
    return new Promise((resolve, reject) =>
      this.client.deleteFile({ fileId: id }, this.metadata, (error) => (error ? reject(error) : resolve())),
    );
  }

  close(): void {
    this.client.close();
  }
}
