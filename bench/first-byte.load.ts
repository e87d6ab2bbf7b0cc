import { Http3Connection } from '#http3/http3-connection';
import type { WireRequest, WireTarget } from './call-wire';
import type { FirstByteFigures } from './edge-figures';

/** A new connection and one GET on it, in each way that TLS has: the time until the answer's head is there. */
export async function firstByteLoad(path: Required<WireTarget>, session: Buffer, request: WireRequest): Promise<FirstByteFigures[]> {
  const ways = [
    { how: 'a full handshake', options: {} },
    { how: 'a resumed session', options: { session } },
    { how: 'early data of a resumed session (0-RTT)', options: { session, early: true } },
  ];
  const figures: FirstByteFigures[] = [];
  for (const { how, options } of ways) {
    const beganAt = performance.now();
    const connection = await Http3Connection.open({ host: '127.0.0.1', serverName: 'localhost', ...path, ...options });
    const { status } = await connection.request({ ...request, authority: 'localhost' }).response;
    figures.push({ how, ms: performance.now() - beganAt });
    if (status !== 200 || (connection.earlyAccepted ?? false) !== 'early' in options) throw new Error(`${how}: ${status}`);
    connection.close();
  }
  return figures;
}

/** What resumes a connection to the edge. */
export async function sessionOf(edge: Required<WireTarget>): Promise<Buffer> {
  const connection = await Http3Connection.open({ host: '127.0.0.1', serverName: 'localhost', port: edge.port, ca: edge.ca });
  const session = await connection.session();
  connection.close();
  return session;
}
