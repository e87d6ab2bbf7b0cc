import type { UploadStatus } from '@sky-genesis/proto';
import { bearer } from './edge-system';
import type { EdgeWire, GrpcAnswer, GrpcCall } from './edge.wire';
import { decoded, encoded } from './rpc';

const FILES = '/sky_genesis.StreamingService';
export const UPLOAD = `${FILES}/UploadFile`;
const CHUNK_BYTES = 1024 * 1024;

/** An id to upload to. */
export async function createUpload(wire: EdgeWire): Promise<string> {
  const path = `${FILES}/CreateUpload`;
  const answer = await wire.grpc!({ path, metadata: bearer(), requests: [Buffer.alloc(0)] });
  return decoded<UploadStatus>(path, answer)[0]!.fileId;
}

/** The bytes of a file from `offset` on; with `end` less than all of it, the stream stays open. */
export function uploadOf(fileId: string, content: Buffer, offset = 0, end = content.length): GrpcCall {
  const offsets = Array.from({ length: Math.ceil((end - offset) / CHUNK_BYTES) }, (_, index) => offset + index * CHUNK_BYTES);
  const requests = offsets.map((at) => {
    const data = content.subarray(at, Math.min(at + CHUNK_BYTES, end));
    return encoded(UPLOAD, { fileId: at === offset ? fileId : '', offset: String(at), data, last: at + data.length === content.length });
  });
  return { path: UPLOAD, metadata: bearer(), requests, keepOpen: end < content.length };
}

/** How much of it is stored. */
export async function receivedOf(wire: EdgeWire, fileId: string): Promise<number> {
  const path = `${FILES}/GetUpload`;
  const answer = await wire.grpc!({ path, metadata: bearer(), requests: [encoded(path, { fileId })] });
  return Number(decoded<UploadStatus>(path, answer)[0]?.received ?? 0);
}

/** Brings what is missing. */
export const goOn = async (wire: EdgeWire, fileId: string, content: Buffer): Promise<GrpcAnswer> =>
  wire.grpc!(uploadOf(fileId, content, await receivedOf(wire, fileId)));
