import type { X509Certificate } from 'node:crypto';
import { isIP, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { WAIT_MS } from './finding';
import { type ExpectedName, refusal, type Shown, type TlsShown, verdict } from './tls.verdict';

/** How long a server may take to refuse a certificate of this side after its own handshake is done (TLS 1.3). */
const REFUSAL_MS = 500;
const MAX_CHAIN = 8;

/** What this side shows and trusts, as PEM. */
export interface TlsFiles {
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
}

/** The other side does not speak TLS. */
export class NoTlsError extends Error {}

/**
 * A handshake with whatever certificate the server has, so that all that is wrong can be told at once.
 * @param socket connected; it is closed after
 * @param caSetting which setting says whom to trust
 * @throws NoTlsError
 */
export async function probeTls(
  socket: Socket,
  name: ExpectedName,
  files: TlsFiles,
  caSetting: string,
  protocols: string[] = ['h2'],
): Promise<TlsShown> {
  const tls = connect({
    socket,
    ...(isIP(name.host) === 0 && { servername: name.host }),
    ALPNProtocols: protocols,
    rejectUnauthorized: false,
    ...(files.ca !== undefined && { ca: files.ca }),
    ...(files.cert !== undefined && { cert: files.cert, key: files.key }),
  });
  try {
    const refused = await handshake(tls);
    if (refused !== undefined) return refusal(refused);
    // Before the server has had the time to leave.
    const shown = shownBy(tls);
    return verdict({ ...shown, refusedBy: await refusalOf(tls, files.cert !== undefined) }, name, files.ca, caSetting);
  } finally {
    tls.destroy();
  }
}

/** Undefined when it is done; else the alert by which the server refused it: before TLS 1.3 that is when certificates are asked for. */
function handshake(tls: TLSSocket): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    tls.setTimeout(WAIT_MS, () => reject(new NoTlsError('no answer to a TLS handshake')));
    tls.once('secureConnect', () => resolve(undefined));
    tls.on('error', ({ code = '', message }: NodeJS.ErrnoException) =>
      code.includes('ALERT') ? resolve(code) : reject(new NoTlsError(code || message)),
    );
    tls.once('close', () => reject(new NoTlsError('the connection was closed')));
  });
}

/** A server that wants another certificate, or any, says so by an alert in place of its first bytes, or leaves. */
function refusalOf(tls: TLSSocket, showedOurs: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), REFUSAL_MS);
    const done = (refusedBy?: string) => {
      clearTimeout(timer);
      resolve(refusedBy);
    };
    tls.once('data', () => done());
    tls.once('error', ({ code = '' }: NodeJS.ErrnoException) => done(code.includes('ALERT') || showedOurs ? code : undefined));
    tls.once('close', () => done(showedOurs ? 'it left' : undefined));
  });
}

function shownBy(tls: TLSSocket): Shown {
  const chain: X509Certificate[] = [];
  for (let link = tls.getPeerX509Certificate(); link && chain.length < MAX_CHAIN; link = link.issuerCertificate) chain.push(link);
  // TypeScript takes it for an Error; it is the code of OpenSSL.
  const opinion = (tls.authorizationError as unknown as string | null) ?? undefined;
  return { protocol: tls.getProtocol() ?? '', chain, opinion };
}
