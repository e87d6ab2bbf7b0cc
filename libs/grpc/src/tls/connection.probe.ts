import type { X509Certificate } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { type Certificates, outsideOfItsTime } from './certificates';
import { causeIn, type ConnectionCause } from './connection-cause';
import { checkServer } from './server-name';

/** What was found where a service should be; without a cause: it can be reached. Told in full, for the log alone. */
export interface Finding {
  cause: ConnectionCause | undefined;
  told: string;
}

export interface Probed {
  /** host:port */
  address: string;
  /** The name that the certificate is checked for. */
  host: string;
  /** As certificates name it, such as `mail`. */
  service: string;
  /** What this side shows; undefined where it speaks plaintext. */
  certificates: Certificates | undefined;
}

const MAX_CHAIN = 8;

/**
 * Connects once, as a client of gRPC does, and finds out what is wrong: grpc-js does not tell which certificate it saw,
 * and what a server thought of ours is told to nobody but its own log.
 * @param timeoutMs bounds the whole of it
 */
export function probe(probed: Probed, timeoutMs: number): Promise<Finding> {
  const [, hostname = '', port = ''] = /^\[?(.*?)\]?:(\d{1,5})$/.exec(probed.address) ?? [];
  const { certificates, host } = probed;
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port),
      servername: /^[\d.]+$|:/.test(host) ? '' : host,
      ALPNProtocols: ['h2'],
      // It only looks, and sends nothing: what is wrong is what it is for.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(certificates && { cert: certificates.certificate, key: certificates.key, ca: certificates.ca }),
    });
    const timer = setTimeout(
      () => found({ cause: 'CONNECTION_TIMEOUT', told: `${probed.address} did not answer within ${timeoutMs} ms` }),
      timeoutMs,
    );
    const found = (finding: Finding) => {
      clearTimeout(timer);
      resolve(finding);
      socket.destroy();
    };
    let secure = false;
    socket.once('secureConnect', () => {
      secure = true;
      const wrong = certificates ? wrongWithServer(socket, probed, certificates) : speaksTls(probed);
      if (wrong) found(wrong);
    });
    // The first frame of HTTP/2: the server has taken our certificate, or asked for none.
    socket.once('data', () => found({ cause: undefined, told: `${probed.address} can be reached` }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      found(certificates && secure ? refusedUs(probed, certificates, error) : failed(probed, error)),
    );
    socket.once('close', () => found(certificates && secure ? refusedUs(probed, certificates) : closed(probed)));
  });
}

const speaksTls = ({ address }: Probed): Finding => ({
  cause: 'TLS_SERVER',
  told: `${address} speaks TLS, this side plaintext: set GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA here, or none of them there`,
});

const closed = ({ address }: Probed): Finding => ({ cause: 'CONNECTION_LOST', told: `${address} closed the connection at once` });

function failed({ address, certificates }: Probed, error: NodeJS.ErrnoException): Finding {
  const cause = causeIn(`${error.code} ${error.message}`);
  if (cause !== 'PLAINTEXT_SERVER') return { cause, told: `${address}: ${error.code ?? error.message}` };
  // Neither side has TLS: as it should be.
  if (!certificates) return { cause: undefined, told: `${address} can be reached, without TLS` };
  return {
    cause,
    told: `${address} does not speak TLS, this side does: set GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA there, or none of them here`,
  };
}

function wrongWithServer(socket: TLSSocket, { address, host, service }: Probed, { authorities }: Certificates): Finding | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { cause: 'UNKNOWN', told: `${address} shows no certificate` };
  const chain = chainOf(certificate);
  // TypeScript takes it for an Error; it is the code of OpenSSL.
  const verdict = socket.authorizationError as unknown as string | null;
  const untimely = outsideOfItsTime({ chain });
  if (untimely !== undefined)
    return { cause: 'TLS_EXPIRED', told: `${address} shows a certificate whose time is over or to come: ${untimely}` };
  if (verdict !== null && verdict !== undefined) {
    const told = `${address} shows a certificate of no CA in GRPC_TLS_CA (${namesOf(authorities)}): its chain is ${pathOf(chain)} (${verdict})`;
    return { cause: 'TLS_UNTRUSTED', told };
  }
  const wrongName = checkServer(certificate.raw, host, service);
  return wrongName && { cause: 'TLS_NAME', told: `${address}: ${wrongName.message}; its chain is ${pathOf(chain)}` };
}

/** The server had ours and closed. It does not say why, but what can be wrong with ours is known here. */
function refusedUs({ address }: Probed, own: Certificates, error?: NodeJS.ErrnoException): Finding {
  const untimely = outsideOfItsTime(own);
  if (untimely !== undefined) return { cause: 'TLS_CERTIFICATE_EXPIRED', told: `${address} refuses our certificate: ${untimely}` };
  if (error && causeIn(error.message) === 'TLS_CERTIFICATE_REQUIRED') {
    return { cause: 'TLS_CERTIFICATE_REQUIRED', told: `${address} asks for a client certificate and got none` };
  }
  const shown = `${own.chain[0].subjectAltName ?? 'no name'}; its chain is ${pathOf(own.chain)}`;
  const told = `${address} ended the connection when it had our certificate (${shown}): its GRPC_TLS_CA has no CA that signed it, as its log tells`;
  return { cause: 'TLS_CERTIFICATE_REFUSED', told };
}

function chainOf(certificate: X509Certificate): [X509Certificate, ...X509Certificate[]] {
  const chain: [X509Certificate, ...X509Certificate[]] = [certificate];
  for (let next = certificate.issuerCertificate; next && chain.length < MAX_CHAIN; next = next.issuerCertificate) chain.push(next);
  return chain;
}

const oneLine = (name: string): string => name.replaceAll('\n', ', ');

/** The holder, then who signed, up to the last that is known. */
const pathOf = (chain: readonly X509Certificate[]): string =>
  [...chain.map(({ subject }) => subject), chain.at(-1)!.issuer].map(oneLine).join(' < ');

const namesOf = (authorities: readonly X509Certificate[]): string =>
  authorities.map(({ subject, validToDate }) => `${oneLine(subject)} until ${validToDate.toISOString()}`).join('; ');
