import { createHash } from 'node:crypto';
import { StreamingClient } from './streaming.client';
import { exchange, expectStatus } from './http.exchange';
import type { Started } from './started';

/** A file as one way of reading shows it: what is said of it, and the hash of the bytes that came. */
export interface SeenFile {
  size: number;
  toldSha256: string;
  /** undefined: the way gives no bytes. */
  readSha256: string | undefined;
}

/** Every way to look at a file. Each throws an UploadFailure where there is none to be seen. */
export class FileReader {
  readonly ways: Readonly<Record<string, (fileId: string) => Promise<SeenFile>>> = {
    GetFile: (fileId) => this.get(fileId),
    DownloadFile: (fileId) => this.download(fileId),
    GET: (fileId) => this.fetch(fileId),
    'GET in ranges': (fileId) => this.fetchRanges(fileId),
  };
  private readonly files: StreamingClient;

  constructor(
    address: string,
    private readonly gateway: string,
    private readonly token: string,
    started: Started,
  ) {
    this.files = new StreamingClient(address, token);
    started.onEnd(() => this.files.close());
  }

  private async get(fileId: string): Promise<SeenFile> {
    const { size, sha256 } = await this.files.getFile(fileId);
    return { size: Number(size), toldSha256: sha256, readSha256: undefined };
  }

  private async download(fileId: string): Promise<SeenFile> {
    const hash = createHash('sha256');
    let size = 0;
    let toldSha256 = '';
    for await (const chunk of this.files.downloadFile(fileId)) {
      hash.update(chunk.data);
      size += chunk.data.length;
      toldSha256 ||= chunk.sha256;
    }
    return { size, toldSha256, readSha256: hash.digest('hex') };
  }

  private async fetch(fileId: string): Promise<SeenFile> {
    const hash = createHash('sha256');
    const { size, toldSha256 } = await this.read(fileId, {}, (piece) => hash.update(piece));
    return { size, toldSha256, readSha256: hash.digest('hex') };
  }

  /** As a player or a download manager does it: the first byte, then the rest. */
  private async fetchRanges(fileId: string): Promise<SeenFile> {
    const hash = createHash('sha256');
    const take = (piece: Buffer) => hash.update(piece);
    const first = await this.read(fileId, { range: 'bytes=0-0' }, take);
    const rest = await this.read(fileId, { range: 'bytes=1-', 'if-range': `"${first.toldSha256}"` }, take);
    return { size: first.size + rest.size, toldSha256: rest.toldSha256, readSha256: hash.digest('hex') };
  }

  private async read(
    fileId: string,
    more: Record<string, string>,
    take: (piece: Buffer) => void,
  ): Promise<{ size: number; toldSha256: string }> {
    const headers = { authorization: `Bearer ${this.token}`, ...more };
    const answer = await exchange(`${this.gateway}/api/v1/files/${fileId}`, { method: 'GET', headers });
    if (answer.status >= 300) await expectStatus(answer, 200, 206);
    let size = 0;
    for await (const piece of answer.body) {
      take(piece);
      size += piece.length;
    }
    return { size, toldSha256: answer.headers.etag?.replaceAll('"', '') ?? '' };
  }
}
