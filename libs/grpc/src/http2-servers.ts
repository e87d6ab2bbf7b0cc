import type { Http2Server } from 'node:http2';
import type { Server } from '@grpc/grpc-js';

/** What grpc-js keeps of its listening sockets: private, so nothing of it is taken for granted. */
interface Listening {
  http2Servers?: ReadonlyMap<Http2Server, unknown>;
}

/** The HTTP/2 servers under one that listens. */
export const http2ServersOf = (server: Server): Iterable<Http2Server> => (server as unknown as Listening).http2Servers?.keys() ?? [];
