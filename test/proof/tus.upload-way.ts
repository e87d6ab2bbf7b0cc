import { createHash } from 'node:crypto';
import { exchange, expectStatus, type HttpAnswer } from './http.exchange';
import { contentOf } from './upload.content';
import type { Done, Tell, UploadJob, UploadWay } from './upload.way';

/** tus 1.0.0: POST once, then HEAD and PATCH. */
export class TusUploadWay implements UploadWay {
  private fileId: string;

  /** @param checksums each piece has one, and is kept whole or not at all */
  constructor(
    private readonly job: UploadJob,
    private readonly tell: Tell,
    private readonly checksums: boolean,
  ) {
    this.fileId = job.fileId;
  }

  async attempt(): Promise<Done> {
    const { size, pieceBytes } = this.job;
    if (this.fileId === '') await this.create();
    const { offset, isLengthKnown } = await this.ask();
    this.tell({ kind: 'goes on', from: offset });
    let at = offset;
    // A length that was not told is told by a piece, be it an empty one.
    if (at === size && !isLengthKnown) await this.send(size, size);
    while (at < size) at = await this.send(at, Math.min(size, at + pieceBytes));
    return { fileId: this.fileId };
  }

  private async create(): Promise<void> {
    const { size, announced, filename } = this.job;
    const answer = await this.call('POST', '', {
      'content-length': 0,
      'upload-metadata': `filename ${Buffer.from(filename).toString('base64')}`,
      ...(announced ? { 'upload-length': size } : { 'upload-defer-length': 1 }),
    } as Record<string, string | number>);
    await expectStatus(answer, 201);
    this.fileId = answer.headers.location?.split('/').at(-1) ?? '';
    this.tell({ kind: 'begun', fileId: this.fileId });
  }

  private async ask(): Promise<{ offset: number; isLengthKnown: boolean }> {
    const answer = await this.call('HEAD', `/${this.fileId}`, {});
    await expectStatus(answer, 200);
    return { offset: this.promised(answer), isLengthKnown: answer.headers['upload-length'] !== undefined };
  }

  /** @returns up to where the server has it, which is where the next piece begins */
  private async send(from: number, to: number): Promise<number> {
    const { size, announced } = this.job;
    const headers = {
      'content-type': 'application/offset+octet-stream',
      'content-length': to - from,
      'upload-offset': from,
      ...(!announced && to === size && { 'upload-length': size }),
      ...(this.checksums && to > from && { 'upload-checksum': `sha1 ${await this.sha1Of(from, to)}` }),
    };
    const answer = await this.call('PATCH', `/${this.fileId}`, headers, contentOf(this.job, from, to, this.tell));
    await expectStatus(answer, 204);
    return this.promised(answer);
  }

  private promised({ headers }: HttpAnswer): number {
    const bytes = Number(headers['upload-offset']);
    this.tell({ kind: 'promised', bytes });
    return bytes;
  }

  private async sha1Of(from: number, to: number): Promise<string> {
    const hash = createHash('sha1');
    for await (const piece of contentOf({ ...this.job, bytesPerSecond: Infinity }, from, to, () => undefined)) hash.update(piece);
    return hash.digest('base64');
  }

  private call(method: string, path: string, headers: Record<string, string | number>, body?: AsyncIterable<Buffer>): Promise<HttpAnswer> {
    const { gateway, token } = this.job;
    const common = { authorization: `Bearer ${token}`, 'tus-resumable': '1.0.0' };
    return exchange(`${gateway}/api/v1/uploads${path}`, { method, headers: { ...common, ...headers }, ...(body && { body }) });
  }
}
