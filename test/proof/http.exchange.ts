import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { UploadFailure } from './upload.way';

/** Without a byte in either direction. */
const IDLE_MS = 45_000;

export interface HttpRequest {
  method: string;
  headers: Record<string, string | number>;
  body?: AsyncIterable<Buffer>;
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: AsyncIterable<Buffer>;
}

/**
 * One request on a connection of its own; the body is read as fast as it leaves, until there is an answer.
 * @throws UploadFailure
 */
export async function exchange(url: string, { method, headers, body }: HttpRequest): Promise<HttpAnswer> {
  const { promise: answer, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request(url, { method, headers, agent: false });
  sent.setTimeout(IDLE_MS, () => sent.destroy(Object.assign(new Error(), { code: 'no answer in time' })));
  let over = false;
  const ended = answer.then(
    () => (over = true),
    () => (over = true),
  );
  sent.once('response', resolve);
  sent.on('error', (error: NodeJS.ErrnoException) => reject(new UploadFailure(error.code ?? error.message)));
  for await (const piece of body ?? []) {
    if (over) break;
    await Promise.race([new Promise<void>((left) => sent.write(piece, () => left())), ended]);
  }
  sent.end();
  const response = await answer;
  return { status: response.statusCode ?? 0, headers: response.headers, body: bytesOf(response) };
}

async function* bytesOf(response: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (error) {
    throw new UploadFailure((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** @throws UploadFailure with the problem's code, where it is another status */
export async function expectStatus(answer: HttpAnswer, ...statuses: number[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of answer.body) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (statuses.includes(answer.status)) return body;
  throw new UploadFailure(codeIn(body) ?? `status ${answer.status}`);
}

function codeIn(body: Buffer): string | undefined {
  try {
    return (JSON.parse(body.toString()) as { code?: string }).code;
  } catch {
    return undefined;
  }
}
