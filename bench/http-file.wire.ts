import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FileContent, FileWire } from './file-wire';

const PATH = '/api/v1/files';

/** Files over HTTP/1.1: POST, GET and DELETE, at the gateway or at whatever has the same paths. */
export class HttpFileWire implements FileWire {
  private readonly agent = new Agent({ keepAlive: true });

  constructor(
    readonly name: string,
    private readonly url: string,
    private readonly token: string,
  ) {}

  async upload(content: FileContent): Promise<string> {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': content.bytes };
    const { outgoing, answer } = this.send('POST', PATH, headers);
    await pipeline(Readable.from(content.pieces(), { highWaterMark: 1 }), outgoing);
    const { file_id: id } = JSON.parse(await textOf(await answer)) as { file_id: string };
    return id;
  }

  async download(id: string): Promise<number> {
    const { outgoing, answer } = this.send('GET', `${PATH}/${id}`);
    outgoing.end();
    let bytes = 0;
    const response = await answer;
    response.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await once(response, 'end');
    return bytes;
  }

  async remove(id: string): Promise<void> {
    const { outgoing, answer } = this.send('DELETE', `${PATH}/${id}`);
    outgoing.end();
    await textOf(await answer);
  }

  close(): void {
    this.agent.destroy();
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
