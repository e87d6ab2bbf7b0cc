import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The least that Node can do with a file: socket to disk, and back. Run as a program: <folder>; it tells its port on stdout. */
const [folder = ''] = process.argv.slice(2);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') {
    const id = randomUUID();
    // Durable when it is answered, as the product's.
    await pipeline(request, createWriteStream(join(folder, id), { flush: true }));
    response.writeHead(201).end(JSON.stringify({ file_id: id }));
    return;
  }
  const path = join(folder, basename(request.url ?? ''));
  if (request.method === 'DELETE') {
    await rm(path);
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'content-length': (await stat(path)).size });
  await pipeline(createReadStream(path), response);
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
