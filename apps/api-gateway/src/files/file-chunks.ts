import type { FileChunk } from '@sky-genesis/proto';

/** So many bytes go into one message, or what has come when the message before left so long ago. */
const CHUNK_BYTES = 262_144;
const CHUNK_MS = 1000;

export interface PartOfFile {
  fileId: string;
  /** Where in the file the content begins. */
  offset: number;
  /** Of the whole file, in bytes; 0: not known. */
  totalSize: number;
  /** Kept as a whole, once the content has ended, or not at all. */
  atomic?: boolean;
  /** Whether the file ends where the content did. */
  isWhole: (end: number) => boolean;
}

/** Bytes as messages of an upload, at least one. Holds one message at most; what was given out is not touched again. */
export async function* fileChunks(content: AsyncIterable<Buffer>, part: PartOfFile): AsyncGenerator<FileChunk, void, undefined> {
  const { fileId, totalSize, atomic = false } = part;
  let { offset } = part;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let sent = 0;
  let sentAt = Date.now();
  const next = (data: Buffer, last: boolean, commit = false): FileChunk => {
    const first = sent++ === 0;
    const chunk = {
      fileId: first ? fileId : '',
      filename: '',
      contentType: '',
      offset: String(offset),
      data,
      totalSize: first ? String(totalSize) : '0',
      last,
      sha256: '',
      atomic: first && atomic,
      commit,
    };
    offset += data.length;
    sentAt = Date.now();
    return chunk;
  };

  for await (const bytes of content) {
    held.push(bytes);
    heldBytes += bytes.length;
    if (heldBytes < CHUNK_BYTES && Date.now() - sentAt < CHUNK_MS) continue;
    const data = Buffer.concat(held);
    held = [];
    heldBytes = 0;
    for (let at = 0; at < data.length; at += CHUNK_BYTES) yield next(data.subarray(at, at + CHUNK_BYTES), false);
  }
  const last = part.isWhole(offset + heldBytes);
  if (last || atomic || heldBytes > 0 || sent === 0) yield next(Buffer.concat(held), last, atomic);
}
