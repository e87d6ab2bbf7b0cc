import type { FileChunk } from '@sky-genesis/proto';
import { StreamingClient } from './streaming.client';
import { contentOf } from './upload.content';
import type { Done, Tell, UploadJob, UploadWay } from './upload.way';

/** UploadFile, gone on with by GetUpload. */
export class GrpcUploadWay implements UploadWay {
  private readonly files: StreamingClient;
  private fileId: string;

  /** @param createsFirst asks CreateUpload for an id before a byte is sent */
  constructor(
    private readonly job: UploadJob,
    private readonly tell: Tell,
    private readonly createsFirst: boolean,
  ) {
    this.files = new StreamingClient(job.address, job.token);
    this.fileId = job.fileId;
  }

  async attempt(): Promise<Done> {
    const { filename, size, announced } = this.job;
    const totalSize = announced ? String(size) : '0';
    if (this.fileId === '' && this.createsFirst) this.begun((await this.files.createUpload({ filename, totalSize })).fileId);
    const from = this.fileId === '' ? 0 : Number((await this.files.getUpload(this.fileId)).received);
    this.promised(from);
    this.tell({ kind: 'goes on', from });
    // The last chunk also asks again for an answer that was not heard.
    const first = this.fileId === '' ? { filename, totalSize } : { fileId: this.fileId };
    const { fileId, sha256 } = await this.files.uploadFile(
      this.chunks(first, from),
      (id) => this.begun(id),
      (bytes) => this.promised(bytes),
    );
    return { fileId, sha256 };
  }

  private async *chunks(first: Partial<FileChunk>, from: number): AsyncGenerator<Partial<FileChunk>, void, undefined> {
    const { size } = this.job;
    let at = from;
    for await (const data of contentOf(this.job, from, size, this.tell)) {
      const offset = at;
      at += data.length;
      yield { ...(offset === from && first), offset: String(offset), data, last: at === size };
    }
    if (at === from) yield { ...first, offset: String(from), last: true };
  }

  private begun(fileId: string): void {
    if (fileId === '' || fileId === this.fileId) return;
    this.fileId = fileId;
    this.tell({ kind: 'begun', fileId });
  }

  private promised(bytes: number): void {
    this.tell({ kind: 'promised', bytes });
  }
}
