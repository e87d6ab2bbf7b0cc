import type { FileContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import type { Started } from './started';
import { StreamingClient } from './streaming.client';

/** StreamingService on one channel. */
export class GrpcFileEntrance implements FileEntrance {
  readonly name = 'gRPC';
  private readonly client: StreamingClient;

  constructor(address: string, token: string, started: Started) {
    this.client = new StreamingClient(address, token);
    started.onEnd(() => this.client.close());
  }

  async upload(content: FileContent): Promise<string> {
    const nothing = () => undefined;
    return (await this.client.uploadFile(chunksOf(content), nothing, nothing)).fileId;
  }

  async *download(fileId: string): AsyncGenerator<Buffer> {
    for await (const { data } of this.client.downloadFile(fileId)) yield data as Buffer;
  }
}

async function* chunksOf(content: FileContent) {
  let offset = 0;
  for (const data of content.pieces()) {
    yield await Promise.resolve({ offset: String(offset), data, last: offset + data.length === content.bytes });
    offset += data.length;
  }
}
