import { once } from 'node:events';
import { connect } from 'node:http2';
import { fromServiceError } from '@sky-genesis/grpc';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { WAIT_MS } from './finding';
import type { TlsFiles } from './tls.probe';

/** One more than GRPC_MAX_MESSAGE_SIZE can be set to. */
const TOO_LARGE_BYTES = 67_108_865;
/** It needs no token. */
const METHOD = '/grpc.health.v1.Health/Check';

/**
 * The largest message that a running server takes, as it tells itself when it is announced one that is too large for any:
 * five bytes are sent, and no message. Undefined where it does not tell.
 * @param tls the name in the certificate is not looked at: `probeTls` tells of it
 */
export async function messageLimitOf(address: string, tls: TlsFiles | undefined): Promise<number | undefined> {
  const session = connect(`${tls ? 'https' : 'http'}://${address}`, {
    ...(tls && { ca: tls.ca, cert: tls.cert, key: tls.key, checkServerIdentity: () => undefined }),
  });
  session.on('error', () => undefined);
  try {
    const signal = AbortSignal.timeout(WAIT_MS);
    const stream = session.request({ ':method': 'POST', ':path': METHOD, 'content-type': 'application/grpc', te: 'trailers' });
    stream.on('error', () => undefined);
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(TOO_LARGE_BYTES, 1);
    stream.write(frame);
    stream.resume();
    const ends = ['response', 'trailers'].map(async (event) => (await once(stream, event, { signal }))[0] as Record<string, string>);
    const told = await Promise.race(
      ends.map(async (headers) => ((await headers)['grpc-status'] === undefined ? new Promise<never>(() => undefined) : headers)),
    );
    return limitIn(told);
  } catch {
    return undefined;
  } finally {
    session.destroy();
  }
}

/** By the facts of the error, which are the contract; not by its text. */
function limitIn(headers: Record<string, string>): number | undefined {
  const metadata = Metadata.fromHttp2Headers(headers);
  const error = { code: Number(headers['grpc-status']), details: '', metadata } as unknown as ServiceError;
  const { reason, details } = fromServiceError(error);
  return reason === 'MESSAGE_TOO_LARGE' ? Number(details.facts?.['limit_bytes']) : undefined;
}
