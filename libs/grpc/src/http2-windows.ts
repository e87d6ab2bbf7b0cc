import type { ServerHttp2Session } from 'node:http2';
import type { Server } from '@grpc/grpc-js';
import { http2ServersOf } from './http2-servers';

/** How much one stream may send before it is read on: at 10 ms to the client and back, 100 MiB a second. */
const STREAM_WINDOW = 1024 * 1024;
/** The same for all streams of a connection together, and so the most that a connection holds of what nobody has read yet. */
const CONNECTION_WINDOW = 8 * 1024 * 1024;

/**
 * Raises the flow control windows of a server that listens: grpc-js has no option for them, and leaves uploads bound to
 * 64 KiB for each way to the client and back.
 */
export function raiseWindows(server: Server): void {
  for (const listening of http2ServersOf(server)) {
    listening.on('session', (session: ServerHttp2Session) => {
      session.settings({ initialWindowSize: STREAM_WINDOW });
      session.setLocalWindowSize(CONNECTION_WINDOW);
    });
  }
}
