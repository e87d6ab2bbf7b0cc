import { createHash } from 'node:crypto';
import {
  type Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { fromServiceError, type RuleError } from '@sky-genesis/grpc';
import { type FileChunk, loadPackage, type UploadResponse } from '@sky-genesis/proto';
import { token } from './test-system';

type Files = Client & {
  uploadFile(
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, response: UploadResponse) => void,
  ): ClientWritableStream<Partial<FileChunk>>;
  downloadFile(request: object, metadata: Metadata, options?: object): ClientReadableStream<FileChunk>;
};

export const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** StreamingService as its clients have it, on a connection of its own. */
export class FileClient {
  private readonly client: Files;

  constructor(
    grpcUrl: string,
    private readonly bearer = token(),
    options: object = {},
  ) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { StreamingService: new (address: string, secure: unknown, options: object) => Files };
    };
    this.client = new contract.StreamingService(grpcUrl, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1, ...options });
  }

  close(): void {
    this.client.close();
  }

  begin(options: object = {}): Upload {
    return new Upload(this.client, this.metadata(), options);
  }

  /** All of it, in pieces of at most so many bytes. */
  async upload(data: Buffer, first: Partial<FileChunk> = {}, pieceBytes = 256 * 1024): Promise<UploadResponse> {
    const upload = this.begin();
    let at = Number(first.offset ?? 0);
    do {
      const piece = data.subarray(at, at + pieceBytes);
      const last = at + piece.length === data.length;
      await upload.send({ ...(at === Number(first.offset ?? 0) && first), offset: String(at), data: piece, last });
      at += piece.length;
    } while (at < data.length);
    return upload.end();
  }

  /** @throws RuleError */
  async download(request: object, options: object = {}): Promise<{ header: FileChunk; data: Buffer; chunks: FileChunk[] }> {
    const chunks: FileChunk[] = [];
    try {
      for await (const chunk of this.open(request, options)) chunks.push(chunk as FileChunk);
    } catch (error) {
      throw fromServiceError(error as ServiceError);
    }
    return { header: chunks[0]!, data: Buffer.concat(chunks.map(({ data }) => data)), chunks };
  }

  open(request: object, options: object = {}): ClientReadableStream<FileChunk> {
    return this.client.downloadFile(request, this.metadata(), options);
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.bearer}`);
    return metadata;
  }
}

/** One UploadFile call. */
export class Upload {
  /** The id, as the server tells it before anything is answered. */
  readonly fileId: Promise<string>;
  readonly answer: Promise<UploadResponse>;
  private readonly call: ClientWritableStream<Partial<FileChunk>>;

  constructor(client: Files, metadata: Metadata, options: object) {
    let told: (id: string) => void = () => undefined;
    this.fileId = new Promise((resolve) => (told = resolve));
    const { promise, resolve, reject } = Promise.withResolvers<UploadResponse>();
    this.answer = promise;
    this.call = client.uploadFile(metadata, options, (error, response) => (error ? reject(fromServiceError(error)) : resolve(response)));
    this.answer.catch(() => undefined);
    this.call.on('metadata', (received: Metadata) => told(String(received.get('file-id')[0] ?? '')));
  }

  /** Resolves once it has left, or the call has ended. */
  async send(chunk: Partial<FileChunk>): Promise<void> {
    const sent = new Promise<void>((resolve) => this.call.write(chunk, () => resolve()));
    await Promise.race([
      sent,
      this.answer.then(
        () => undefined,
        () => undefined,
      ),
    ]);
  }

  end(): Promise<UploadResponse> {
    this.call.end();
    return this.answer;
  }

  error(): Promise<RuleError> {
    return this.answer.then(
      (answer) => Promise.reject(new Error(`granted: ${JSON.stringify(answer)}`)),
      (error: RuleError) => error,
    );
  }

  cancel(): void {
    this.call.cancel();
  }
}
