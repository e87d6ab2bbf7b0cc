import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FileContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import type { Started } from './started';

const PATH = '/api/v1/files';

/** The gateway over HTTP/1.1. */
export class RestFileEntrance implements FileEntrance {
  readonly name = 'REST';
  private readonly agent = new Agent({ keepAlive: true });

  constructor(
    private readonly url: string,
    private readonly token: string,
    started: Started,
  ) {
    started.onEnd(() => this.agent.destroy());
  }

  async upload(content: FileContent): Promise<string> {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': content.bytes };
    const { outgoing, answer } = this.send('POST', PATH, headers);
    await pipeline(Readable.from(content.pieces(), { highWaterMark: 1 }), outgoing);
    const { file_id: id } = JSON.parse(await textOf(await answer)) as { file_id: string };
    return id;
  }

  async *download(fileId: string): AsyncGenerator<Buffer> {
    const { outgoing, answer } = this.send('GET', `${PATH}/${fileId}`);
    outgoing.end();
    for await (const chunk of await answer) yield chunk as Buffer;
  }

  private send(method: string, path: string, headers: Record<string, string | number> = {}) {
    const options = { method, agent: this.agent, headers: { authorization: `Bearer ${this.token}`, ...headers } };
    const outgoing = request(new URL(path, this.url), options);
    const answer = once(outgoing, 'response').then(async ([response]: IncomingMessage[]) => {
      if (Math.floor((response?.statusCode ?? 0) / 100) !== 2) throw new Error(`${method} ${path}: ${await textOf(response!)}`);
      return response!;
    });
    answer.catch(() => undefined);
    return { outgoing, answer };
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}
