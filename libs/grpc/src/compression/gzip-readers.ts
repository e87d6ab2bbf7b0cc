import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from '../http2-servers';

/** The streams of calls whose client reads gzip. */
const gzipReaders = new WeakSet<object>();

export const readsGzip = (stream: object): boolean => gzipReaders.has(stream);

/**
 * Notes of each call to a server that listens whether its client reads gzip: grpc-js takes `grpc-accept-encoding` out of the
 * metadata before anyone sees it, and keeps it nowhere.
 */
export function noteGzipReaders(server: Server): void {
  for (const listening of http2ServersOf(server)) {
    // Before grpc-js, whose own listener runs the interceptors.
    listening.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      if (namesGzip(headers['grpc-accept-encoding'])) gzipReaders.add(stream);
    });
  }
}

const namesGzip = (encodings: string | string[] | undefined): boolean =>
  [encodings].flat().some((list) => list?.split(',').some((encoding) => encoding.trim() === 'gzip'));
