import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { RuleError } from '@sky-genesis/grpc';
import type { FileChunk } from '@sky-genesis/proto';
import { create } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ByteRange, byteRanges, byteRangesBody, matchesEtag } from './byte-ranges';
import type { FileHead } from './files.mapper';

type Chunks = AsyncGenerator<FileChunk, void, undefined>;

/** A file to answer with. `read` begins with the first `next()`; length 0: to the end. */
export interface Download {
  head: FileHead;
  read: (offset: number, length: number) => Chunks;
}

interface Content {
  bytes: AsyncGenerator<Buffer, void, undefined>;
  length: number;
  headers: Record<string, string>;
}

const NO_BYTES: FileChunk[] = [];

/**
 * Answers with a file as the client asks for it (RFC 9110): whole or in ranges, or not at all where it has it already.
 * @throws RuleError RANGE_NOT_SATISFIABLE, and what the service threw before its first bytes; what goes wrong later ends the
 *   connection
 */
export async function answerDownload(download: Download, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { head } = download;
  const etag = `"${head.sha256}"`;
  const { 'if-none-match': known } = request.headers;
  if (known !== undefined && matchesEtag(known, etag)) {
    void reply.status(304).headers(cachingHeaders(etag)).send();
    return;
  }
  const ranges = request.method === 'GET' ? rangesAskedFor(request, reply, head.size, etag) : undefined;
  const content = ranges ? ofRanges(download, ranges) : ofWhole(download);
  const body = request.method === 'HEAD' ? Readable.from(NO_BYTES) : await begun(content.bytes);
  void reply
    .status(ranges ? 206 : 200)
    .headers({ ...cachingHeaders(etag), 'accept-ranges': 'bytes', 'content-disposition': create(head.filename || undefined) })
    .headers({ ...content.headers, 'content-length': String(content.length) })
    .send(body);
}

/** What is stored never changes; who may see it may. */
const cachingHeaders = (etag: string) => ({ etag, 'cache-control': 'private, no-cache' });

function rangesAskedFor({ headers }: FastifyRequest, reply: FastifyReply, size: number, etag: string): readonly ByteRange[] | undefined {
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange.toString() !== etag) return undefined;
  try {
    return byteRanges(headers.range, size);
  } catch (error) {
    void reply.header('content-range', `bytes */${size}`);
    throw error;
  }
}

function ofWhole({ head, read }: Download): Content {
  const bytes = bytesOf(read(0, 0), head.size);
  return { bytes, length: head.size, headers: { 'content-type': mediaType(head) } };
}

function ofRanges(download: Download, ranges: readonly ByteRange[]): Content {
  const { head, read } = download;
  const [only, another] = ranges;
  if (only && !another) {
    const length = lengthOf(only);
    const headers = { 'content-type': mediaType(head), 'content-range': `bytes ${only.start}-${only.end}/${head.size}` };
    return { bytes: bytesOf(read(only.start, length), length), length, headers };
  }
  const boundary = randomUUID();
  const { parts, tail, length } = byteRangesBody(ranges, head.size, mediaType(head), boundary);
  // Made now, for each belongs to the request at hand; each begins when it is its turn.
  const reads = parts.map(({ head: before, range }) => ({ before, bytes: bytesOf(read(range.start, lengthOf(range)), lengthOf(range)) }));
  const bytes = (async function* () {
    for (const { before, bytes: ofPart } of reads) {
      yield before;
      yield* ofPart;
    }
    yield tail;
  })();
  return { bytes, length, headers: { 'content-type': `multipart/byteranges; boundary=${boundary}` } };
}

const lengthOf = ({ start, end }: ByteRange): number => end - start + 1;

/** As it was declared, where a header can say it. */
const mediaType = ({ contentType }: FileHead): string => (/^[\x20-\x7e]+$/.test(contentType) ? contentType : 'application/octet-stream');

/** Exactly so many bytes, or an error: an answer that said its length must not end as if it were whole. */
async function* bytesOf(chunks: Chunks, length: number): AsyncGenerator<Buffer, void, undefined> {
  let missing = length;
  for await (const { data } of chunks) {
    missing -= data.length;
    if (missing < 0) break;
    if (data.length > 0) yield Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  }
  if (missing !== 0) throw new RuleError('CONTENT_LOST', `${missing > 0 ? 'fewer' : 'more'} bytes came than the file has`);
}

/** Waits for the first bytes, so that what goes wrong before is told as a problem. */
async function begun(bytes: AsyncGenerator<Buffer, void, undefined>): Promise<Readable> {
  const first = await bytes.next();
  const rest = async function* () {
    try {
      if (!first.done) yield first.value;
      yield* bytes;
    } finally {
      // A client may be gone before the loop has begun.
      await bytes.return();
    }
  };
  return Readable.from(rest());
}
