import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { CreateUploadRequest, DownloadRequest, FileChunk, GetUploadRequest } from '@sky-genesis/proto';
import { type EdgeClients, grpc, retryable } from './edge.clients';
import { bearer } from './mesh-system';
import { type CallCounts, RetryableError } from './retried.calls';

const CHUNK_BYTES = 65_536;
const CHUNKS = 64;
/** Six seconds a file: a rollout comes in the middle. */
const BETWEEN_CHUNKS_MS = 100;

/** Files up and down, slowly; what breaks off goes on from where it was. */
export class FileStreams {
  uploads = 0;
  downloads = 0;
  private readonly options = { authorization: bearer() };
  private readonly content = Buffer.alloc(CHUNK_BYTES * CHUNKS, 'a file ');
  private readonly sha256 = createHash('sha256').update(this.content).digest('hex');

  constructor(
    private readonly clients: EdgeClients,
    private readonly counts: CallCounts,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const first = await this.upload(0);
    await Promise.all([this.uploadOn(signal), this.downloadOn(first, signal)]);
  }

  private async uploadOn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.upload(BETWEEN_CHUNKS_MS);
  }

  private async upload(betweenMs: number): Promise<string> {
    let fileId = '';
    await this.goingOn('gRPC UploadFile', async () => {
      const { files } = this.clients;
      if (fileId === '') ({ fileId } = await grpc(files.createUpload({} as CreateUploadRequest, this.options)));
      const { received, complete } = await grpc(files.getUpload({ fileId } as GetUploadRequest, this.options));
      if (complete) return;
      const { sha256 } = await files.uploadFile(this.chunksFrom(Number(received), fileId, betweenMs), this.options);
      if (sha256 !== this.sha256) throw new Error(`another file was stored: ${sha256}`);
    });
    this.uploads++;
    return fileId;
  }

  private async *chunksFrom(offset: number, fileId: string, betweenMs: number): AsyncGenerator<FileChunk> {
    for (let at = offset; at < this.content.length; at += CHUNK_BYTES) {
      const data = this.content.subarray(at, at + CHUNK_BYTES);
      yield {
        fileId: at === offset ? fileId : '',
        offset: String(at),
        data,
        last: at + data.length >= this.content.length,
      } as Partial<FileChunk> as FileChunk;
      if (betweenMs > 0) await delay(betweenMs);
    }
  }

  private async downloadOn(fileId: string, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const pieces: Buffer[] = [];
      const received = () => pieces.reduce((sum, { length }) => sum + length, 0);
      await this.goingOn('gRPC DownloadFile', async () => {
        const request = { fileId, offset: String(received()) } as DownloadRequest;
        for await (const { data } of this.clients.files.downloadFile(request, this.options)) {
          pieces.push(Buffer.from(data));
          await delay((BETWEEN_CHUNKS_MS * data.length) / CHUNK_BYTES);
        }
        if (received() !== this.content.length) throw new Error(`${received()} bytes came`);
      });
      const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
      if (sha256 !== this.sha256) this.counts.failures.push(`gRPC DownloadFile: another file came: ${sha256}`);
      this.downloads++;
    }
  }

  /** One call, however many streams it takes. */
  private goingOn(what: string, attempt: () => Promise<void>): Promise<void> {
    return this.counts.call(what, () =>
      attempt().catch((error: unknown) => {
        // An upload belongs to the stream before for a moment (UPLOAD_BUSY).
        if ((error as { code?: string }).code === 'ABORTED') throw new RetryableError('ABORTED');
        throw retryable(error);
      }),
    );
  }
}
