import {
  type Client,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { fromServiceError } from '@sky-genesis/grpc';
import { type File, type FileChunk, loadPackage, type UploadResponse, type UploadStatus } from '@sky-genesis/proto';
import { UploadFailure } from './upload.way';

const TIMEOUT_MS = 10_000;

type Answered<Response> = (error: ServiceError | null, response?: Response) => void;
type Call<Response> = (request: object, metadata: Metadata, options: object, done: Answered<Response>) => void;

interface Contract extends Client {
  createUpload: Call<UploadStatus>;
  getUpload: Call<UploadStatus>;
  getFile: Call<File>;
  uploadFile(metadata: Metadata, done: Answered<UploadResponse>): ClientWritableStream<Partial<FileChunk>>;
  downloadFile(request: object, metadata: Metadata): ClientReadableStream<FileChunk>;
}

/** StreamingService on one channel. What fails is an UploadFailure. */
export class StreamingClient {
  private readonly client: Contract;

  constructor(
    address: string,
    private readonly token: string,
  ) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { StreamingService: new (address: string, secure: unknown, options: object) => Contract };
    };
    const options = { 'grpc.enable_channelz': 0, 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000 };
    this.client = new contract.StreamingService(address, credentials.createInsecure(), options);
  }

  close(): void {
    this.client.close();
  }

  createUpload(request: object): Promise<UploadStatus> {
    return this.unary('createUpload', request);
  }

  getUpload(fileId: string): Promise<UploadStatus> {
    return this.unary('getUpload', { fileId });
  }

  getFile(fileId: string): Promise<File> {
    return this.unary('getFile', { fileId });
  }

  /**
   * @param chunks read as fast as they leave, until there is an answer
   * @param begun called with the id that the server tells before its answer
   * @param received called with how far it came, where a refusal says so
   */
  async uploadFile(
    chunks: AsyncIterable<Partial<FileChunk>>,
    begun: (fileId: string) => void,
    received: (bytes: number) => void,
  ): Promise<UploadResponse> {
    const { promise: answer, resolve, reject } = Promise.withResolvers<UploadResponse>();
    let over = false;
    const call = this.client.uploadFile(this.metadata(), (error, response) => {
      over = true;
      if (response) return resolve(response);
      const { received: bytes } = error ? (fromServiceError(error).details.facts ?? {}) : {};
      if (bytes !== undefined) received(Number(bytes));
      reject(failureOf(error));
    });
    call.on('error', () => undefined);
    call.on('metadata', (told: Metadata) => begun(String(told.get('file-id')[0] ?? '')));
    const ended = answer.catch(() => undefined);
    for await (const chunk of chunks) {
      if (over) break;
      await Promise.race([new Promise<void>((sent) => call.write(chunk, () => sent())), ended]);
    }
    call.end();
    return answer;
  }

  /** No more is read than is asked for. Leaving the loop cancels the call. */
  async *downloadFile(fileId: string): AsyncGenerator<FileChunk, void, undefined> {
    const call = this.client.downloadFile({ fileId }, this.metadata());
    // That of a call that was left comes when nobody listens any more.
    call.on('error', () => undefined);
    try {
      yield* call as AsyncIterable<FileChunk>;
    } catch (error) {
      throw failureOf(error as ServiceError);
    } finally {
      call.cancel();
    }
  }

  private unary<Name extends 'createUpload' | 'getUpload' | 'getFile'>(name: Name, request: object) {
    type Response = Contract[Name] extends Call<infer Of> ? Of : never;
    const call = this.client[name].bind(this.client) as unknown as Call<Response>;
    return new Promise<Response>((resolve, reject) => {
      call(request, this.metadata(), { deadline: Date.now() + TIMEOUT_MS }, (error, response) =>
        response ? resolve(response) : reject(failureOf(error)),
      );
    });
  }

  private metadata(): Metadata {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${this.token}`);
    return metadata;
  }
}

/** What the service said is told from what the client's own library makes of a connection that broke. */
function failureOf(error: ServiceError | null): UploadFailure {
  if (!error) return new UploadFailure('no response');
  const isTold = (error.metadata?.get('grpc-status-details-bin').length ?? 0) > 0;
  return new UploadFailure(isTold ? fromServiceError(error).reason : `connection (${error.code})`);
}
