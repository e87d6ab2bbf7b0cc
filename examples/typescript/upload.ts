import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import cliProgress from 'cli-progress';

const USAGE = `node upload.ts --token TOKEN [--address localhost:50051] [--tls] [--content-type TYPE] [--proto FILE] FILE

Uploads FILE and prints its id. Goes on by itself when the connection or the server is lost; when this program is ended,
it goes on where it was when it is started again with the same FILE (it keeps the id in FILE.upload until all is there).`;

const PROTO = join(import.meta.dirname, '../../libs/proto/sky_genesis.proto');
/** A chunk may have 1 MiB at most. */
const CHUNK_BYTES = 512 * 1024;
const ANSWER_MS = 15_000;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 15_000;
/** It gives up after so long without a byte. */
const PATIENCE_MS = 10 * 60_000;

const { UNAVAILABLE, ABORTED, CANCELLED, DEADLINE_EXCEEDED, INTERNAL } = grpc.status;
/** The connection or the server went away, or the upload still belongs to the stream before this one. */
const PASSING: readonly grpc.status[] = [UNAVAILABLE, ABORTED, CANCELLED, DEADLINE_EXCEEDED];

/** What a person can do about it is all that is told. */
class FriendlyError extends Error {}

interface UploadStatus {
  file_id: string;
  received: number;
  complete: boolean;
}

interface FileChunk {
  file_id?: string;
  offset: number;
  data: Buffer;
  last: boolean;
  sha256?: string;
}

type Answer<Response> = (error: grpc.ServiceError | null, response: Response) => void;
type Unary<Response> = (request: object, metadata: grpc.Metadata, options: grpc.CallOptions, done: Answer<Response>) => void;

interface StreamingService extends grpc.Client {
  createUpload: Unary<UploadStatus>;
  getUpload: Unary<UploadStatus>;
  uploadFile(metadata: grpc.Metadata, done: Answer<{ file_id: string }>): grpc.ClientWritableStream<FileChunk>;
}

/** A file and the hash of what has been read of it, each byte hashed once and in order, however often it is read. */
class HashedFile {
  private readonly hash = createHash('sha256');
  private hashed = 0;
  private readonly file: FileHandle;
  readonly size: number;

  constructor(file: FileHandle, size: number) {
    this.file = file;
    this.size = size;
  }

  /** Up to one chunk from there on; empty at the end only. */
  async read(at: number): Promise<Buffer> {
    while (this.hashed < at) this.take(this.hashed, await this.chunk(this.hashed));
    const data = await this.chunk(at);
    this.take(at, data);
    return data;
  }

  /** Hex, once all was read. */
  sha256(): string {
    return this.hash.copy().digest('hex');
  }

  private async chunk(at: number): Promise<Buffer> {
    const length = Math.min(CHUNK_BYTES, this.size - at);
    const { buffer, bytesRead } = await this.file.read(Buffer.allocUnsafeSlow(length), 0, length, at);
    if (bytesRead < length) throw new FriendlyError('The file has become shorter while it was being read.');
    return buffer;
  }

  private take(at: number, data: Buffer): void {
    this.hash.update(data.subarray(this.hashed - at));
    this.hashed = Math.max(this.hashed, at + data.length);
  }
}

/** Remembers beside the file which upload it has become, for as long as it is the same file. */
class UploadNote {
  private readonly path: string;
  private readonly of: string;

  constructor(file: string, size: number, modified: Date, address: string) {
    this.path = `${file}.upload`;
    this.of = JSON.stringify({ size, modified, address });
  }

  async read(): Promise<string | undefined> {
    const [of, id] = (await readFile(this.path, 'utf8').catch(() => '')).split('\n');
    return of === this.of ? id : undefined;
  }

  /** Whole or not at all, whenever this program is ended. */
  async write(fileId: string): Promise<void> {
    await writeFile(`${this.path}.new`, `${this.of}\n${fileId}\n`);
    await rename(`${this.path}.new`, this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

class Uploader {
  private readonly client: StreamingService;
  private readonly metadata: grpc.Metadata;
  private readonly file: HashedFile;
  private readonly note: UploadNote;
  private readonly progress: (bytes: number) => void;

  constructor(client: StreamingService, token: string, file: HashedFile, note: UploadNote, progress: (bytes: number) => void) {
    this.client = client;
    this.metadata = new grpc.Metadata();
    this.metadata.set('authorization', `Bearer ${token}`);
    this.file = file;
    this.note = note;
    this.progress = progress;
  }

  /** @returns the id of the file */
  async run(draft: { filename: string; content_type: string }, tell: (line: string) => void): Promise<string> {
    let received = -1;
    let wait = FIRST_WAIT_MS;
    let movedAt = Date.now();
    for (;;) {
      try {
        const upload = await this.find(draft);
        if (upload.received > received) {
          received = upload.received;
          wait = FIRST_WAIT_MS;
          movedAt = Date.now();
        }
        if (received > 0) tell(`going on at ${received} of ${this.file.size} bytes`);
        return await this.send(upload);
      } catch (error) {
        if (!isServiceError(error) || !isPassing(error) || Date.now() - movedAt > PATIENCE_MS) throw error;
        // Not all who lost the same server at the same moment.
        const pause = wait * (0.5 + Math.random());
        tell(`${error.details}; again in ${(pause / 1000).toFixed(1)} s`);
        await sleep(pause);
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
      }
    }
  }

  /** The upload that was begun before, or a new one. */
  private async find(draft: object): Promise<UploadStatus> {
    const known = await this.note.read();
    if (known !== undefined) {
      try {
        return await this.call('getUpload', { file_id: known });
      } catch (error) {
        // An upload expires a day after its last byte.
        if (!isServiceError(error) || error.code !== grpc.status.NOT_FOUND) throw error;
      }
    }
    const created = await this.call('createUpload', { ...draft, total_size: this.file.size });
    await this.note.write(created.file_id);
    return created;
  }

  /** From what the server has to the end. Where it has all, an empty last chunk asks for the answer that was lost. */
  private async send({ file_id, received }: UploadStatus): Promise<string> {
    let wake: () => void = () => undefined;
    let over = false;
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const call = this.client.uploadFile(this.metadata, (error, response) => {
      over = true;
      wake();
      if (error) reject(error);
      else resolve(response.file_id);
    });
    promise.catch(() => undefined);
    try {
      for await (const chunk of this.chunks(file_id, received)) {
        // The next one is read when this one has left, and memory does not grow with the file.
        await new Promise<void>((left) => {
          wake = left;
          if (over) left();
          else call.write(chunk, () => left());
        });
        if (over) break;
        this.progress(chunk.offset + chunk.data.length);
      }
    } catch (error) {
      call.cancel();
      throw error;
    }
    call.end();
    return promise;
  }

  private async *chunks(file_id: string, from: number): AsyncGenerator<FileChunk> {
    const { file } = this;
    for (let at = from, last = false; !last;) {
      const data = await file.read(at);
      last = at + data.length === file.size;
      yield { ...(at === from && { file_id }), offset: at, data, last, ...(last && { sha256: file.sha256() }) };
      at += data.length;
    }
  }

  private call(method: 'createUpload' | 'getUpload', request: object): Promise<UploadStatus> {
    const options = { deadline: Date.now() + ANSWER_MS };
    return new Promise((resolve, reject) =>
      this.client[method](request, this.metadata, options, (error, response) => (error ? reject(error) : resolve(response))),
    );
  }
}

const isServiceError = (error: unknown): error is grpc.ServiceError => error instanceof Error && 'code' in error && 'details' in error;

const isPassing = ({ code, details }: grpc.ServiceError): boolean =>
  PASSING.includes(code) || (code === INTERNAL && details.includes('RST_STREAM'));

function connect(address: string, tls: boolean, proto: string): StreamingService {
  const definition = loadSync(proto, { keepCase: true, longs: Number, defaults: true });
  const { sky_genesis: contract } = grpc.loadPackageDefinition(definition) as unknown as {
    sky_genesis: { StreamingService: new (...args: ConstructorParameters<typeof grpc.Client>) => StreamingService };
  };
  const secure = tls ? grpc.credentials.createSsl() : grpc.credentials.createInsecure();
  // A connection that is dead without a word is found out, and a server that is back is found at once.
  const options = { 'grpc.keepalive_time_ms': 20_000, 'grpc.keepalive_timeout_ms': 10_000, 'grpc.max_reconnect_backoff_ms': 2000 };
  return new contract.StreamingService(address, secure, options);
}

/** On a terminal a bar, elsewhere lines of what happens. */
function progressOf(name: string, size: number): { show: (bytes: number) => void; tell: (line: string) => void; stop: () => void } {
  const mebibytes = (value: number, _: unknown, type: string) =>
    type === 'value' || type === 'total' ? (value / 2 ** 20).toFixed(1) : String(value);
  const format = '{name} [{bar}] {percentage}% | {value}/{total} MiB | {eta_formatted} left {note}';
  const bar = new cliProgress.SingleBar({ format, formatValue: mebibytes }, cliProgress.Presets.shades_classic);
  bar.start(size, 0, { name, note: '' });
  return {
    show: (bytes) => bar.update(bytes, { note: '' }),
    tell: (line) => (process.stderr.isTTY ? bar.update({ note: `| ${line}` }) : console.error(line)),
    stop: () => bar.stop(),
  };
}

function explained(error: unknown, address: string): string {
  if (error instanceof FriendlyError) return error.message;
  if (!isServiceError(error)) return error instanceof Error ? error.message : String(error);
  if (error.code === grpc.status.UNAUTHENTICATED)
    return `The token is not valid, or no longer (${error.details}). Get one and start again: what arrived is kept.`;
  if (isPassing(error)) return `${address} does not answer (${error.details}). Start again to go on: what arrived is kept.`;
  return `The server refuses: ${error.details} (${grpc.status[error.code]})`;
}

async function main(): Promise<void> {
  const text = { type: 'string' } as const;
  const options = {
    address: { ...text, default: 'localhost:50051' },
    token: text,
    tls: { type: 'boolean', default: false },
    'content-type': { ...text, default: '' },
    proto: { ...text, default: PROTO },
  } as const;
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1 || !values.token) throw new FriendlyError(USAGE);

  const file = await open(path);
  const client = connect(values.address, values.tls, values.proto);
  const { size, mtime } = await file.stat();
  const note = new UploadNote(path, size, mtime, values.address);
  const bar = progressOf(basename(path), size);
  try {
    const uploader = new Uploader(client, values.token, new HashedFile(file, size), note, bar.show);
    const fileId = await uploader.run({ filename: basename(path), content_type: values['content-type'] }, bar.tell);
    await note.remove();
    bar.stop();
    console.log(fileId);
  } catch (error) {
    bar.stop();
    throw new FriendlyError(explained(error, values.address), { cause: error });
  } finally {
    client.close();
    await file.close();
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
