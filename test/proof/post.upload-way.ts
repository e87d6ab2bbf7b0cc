import { exchange, expectStatus } from './http.exchange';
import { contentOf } from './upload.content';
import type { Done, Tell, UploadJob, UploadWay } from './upload.way';

/** POST /api/v1/files: all in one request, and all again when it failed. */
export class PostUploadWay implements UploadWay {
  constructor(
    private readonly job: UploadJob,
    private readonly tell: Tell,
  ) {}

  async attempt(): Promise<Done> {
    const { gateway, token, size, filename, announced } = this.job;
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/octet-stream',
      ...(announced && { 'content-length': size }),
    };
    this.tell({ kind: 'goes on', from: 0 });
    const body = contentOf(this.job, 0, size, this.tell);
    const answer = await exchange(`${gateway}/api/v1/files?filename=${encodeURIComponent(filename)}`, { method: 'POST', headers, body });
    const told = JSON.parse((await expectStatus(answer, 201)).toString()) as { file_id: string; sha256: string };
    return { fileId: told.file_id, sha256: told.sha256 };
  }
}
