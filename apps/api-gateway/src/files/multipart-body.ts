import { once } from 'node:events';
import { Dicer } from '@fastify/busboy';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { parse } from 'content-disposition';
import { asUtf8 } from './header-text';

const MAX_PARTS = 64;
const MAX_PART_HEADERS = 16;
const MAX_PART_HEADER_BYTES = 16_384;
const MAX_BOUNDARY_LENGTH = 70;
/** Of the body, all that is not the file: other fields, and what stands between and around the parts. */
const MAX_BYTES_BESIDES = 1_048_576;
/** Of the file, what is held until somebody asks for it. */
const HELD_BYTES = 65_536;
/** Of the body, what may have arrived and be neither given out nor counted as beside the file yet. */
const UNDER_WAY_BYTES = 4 * HELD_BYTES;

export interface FilePart {
  filename: string;
  /** As it was declared; '': it was not. */
  contentType: string;
  /** Ends when the whole body was read, and had no other file. */
  content: AsyncGenerator<Buffer, void, undefined>;
}

interface Part extends Dicer.PartStream {
  on(event: 'header', listener: (header: Record<string, string[] | undefined>) => void): this;
  on(event: string, listener: (...args: never[]) => void): this;
}

export const isMultipart = (contentType: string): boolean => parse(contentType).type === 'multipart/form-data';

/**
 * The one file of a form (RFC 7578) as it arrives, no faster than it is read. Fields beside it are read and dropped.
 * @param ending ends the reading, when nobody needs the file any more
 * @throws InvalidArgumentError where there is no file, or more than one; RuleError MALFORMED_REQUEST, MESSAGE_TOO_LARGE; and
 *   whatever `body` throws, here or where the content is read
 */
export function openFilePart(body: AsyncIterable<Buffer>, contentType: string, ending: AbortSignal): Promise<FilePart> {
  const { boundary } = parse(contentType).parameters;
  if (!boundary || boundary.length > MAX_BOUNDARY_LENGTH) {
    throw new RuleError('MALFORMED_REQUEST', `the boundary in Content-Type must be 1 to ${MAX_BOUNDARY_LENGTH} characters long`);
  }
  return new FormReader(boundary, ending).open(body);
}

class FormReader {
  private readonly dicer: Dicer;
  private readonly parsed: Promise<void>;
  private failure: Error | undefined;
  private parts = 0;
  private file: Part | undefined;
  private arrivedBytes = 0;
  private takenBytes = 0;
  private opened!: (file: FilePart) => void;
  private read!: Promise<void>;

  constructor(
    boundary: string,
    private readonly ending: AbortSignal,
  ) {
    const limits = { maxHeaderPairs: MAX_PART_HEADERS, maxHeaderSize: MAX_PART_HEADER_BYTES, partHwm: HELD_BYTES };
    this.dicer = new Dicer({ boundary, ...limits });
    this.dicer.on('part', (part) => this.take(part as Part));
    this.parsed = new Promise((resolve) => {
      this.dicer.on('finish', resolve);
      this.dicer.on('error', () => {
        this.failure ??= new RuleError('MALFORMED_REQUEST', 'the body ends before its last boundary');
        resolve();
      });
    });
  }

  open(body: AsyncIterable<Buffer>): Promise<FilePart> {
    return new Promise((resolve, reject) => {
      this.opened = resolve;
      this.read = this.readAll(body);
      // Told where the content is read, too.
      this.read.catch((error: Error) => {
        this.file?.destroy(error);
        reject(error);
      });
    });
  }

  private async readAll(body: AsyncIterable<Buffer>): Promise<void> {
    for await (const bytes of body) {
      this.arrivedBytes += bytes.length;
      if (this.arrivedBytes - this.takenBytes > MAX_BYTES_BESIDES + UNDER_WAY_BYTES) {
        throw new RuleError('MESSAGE_TOO_LARGE', `besides the file, the form is larger than ${MAX_BYTES_BESIDES} bytes`);
      }
      // Behind its last boundary it takes no more: what follows there means nothing.
      if (this.dicer.writable && !this.dicer.write(bytes)) await once(this.dicer, 'drain', { signal: this.ending });
      if (this.failure) throw this.failure;
    }
    if (this.dicer.writable) this.dicer.end();
    await this.parsed;
    if (!this.file) this.failure ??= notOneFile();
    if (this.failure) throw this.failure;
  }

  private take(part: Part): void {
    this.parts++;
    if (this.parts > MAX_PARTS) this.failure ??= new RuleError('MESSAGE_TOO_LARGE', `the form has more than ${MAX_PARTS} parts`);
    // Of one that is cut; the parser tells it, too.
    part.on('error', () => undefined);
    part.on('header', (header) => {
      const { type, parameters } = parse(asUtf8(header['content-disposition']?.[0] ?? ''), { multipart: true });
      const contentType = header['content-type']?.[0] ?? '';
      const isFile = type === 'form-data' && (parameters.filename !== undefined || contentType === 'application/octet-stream');
      if (isFile && this.file) this.failure ??= notOneFile();
      if (!isFile || this.failure) {
        part.resume();
        return;
      }
      this.file = part;
      this.opened({ filename: parameters.filename ?? '', contentType, content: this.contentOf(part) });
    });
  }

  private async *contentOf(part: Part): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const bytes of part) {
        this.takenBytes += (bytes as Buffer).length;
        yield bytes as Buffer;
      }
    } catch (error) {
      throw this.failure ?? error;
    }
    await this.read;
  }
}

const notOneFile = () => new InvalidArgumentError([{ field: 'body', description: 'must hold exactly one file' }]);
