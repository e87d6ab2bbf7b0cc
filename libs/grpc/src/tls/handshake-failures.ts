import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Server } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { http2ServersOf } from '../http2-servers';
import { LineBudget } from '../line-budget';
import type { CertificateFiles } from './certificate-files';

/** Why a client did not get in. */
export type HandshakeFailure =
  'certificate_required' | 'certificate_expired' | 'certificate_untrusted' | 'refused_by_client' | 'plaintext' | 'closed' | 'other';

/** What Node keeps of the socket below TLS: private, so it is not taken for granted. */
type Wrapped = TLSSocket & { _parent?: Socket };

const logger = new Logger('tls');

/**
 * Logs and counts the TLS handshakes of a server that fail; to be called once it listens. Lines are bounded, the count is
 * not.
 */
export function reportHandshakes(server: Server, files: CertificateFiles, count: (failure: HandshakeFailure) => void): void {
  const lines = new LineBudget();
  for (const listening of http2ServersOf(server)) {
    // An address is only remembered when it was asked for while the socket was open.
    listening.on('connection', (socket: Socket) => void socket.remoteAddress);
    listening.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Wrapped) => {
      const client = socket._parent ?? socket;
      const { failure, told } = explain(error, socket, client.bytesRead > 0, files);
      count(failure);
      // What only looks whether the port is open, as balancers do, is nobody's trouble.
      if (failure !== 'closed') lines.write((left) => logger.warn(`${addressOf(client)}: ${told}${left}`));
    });
  }
}

function explain(
  error: NodeJS.ErrnoException,
  socket: TLSSocket,
  spoke: boolean,
  files: CertificateFiles,
): { failure: HandshakeFailure; told: string } {
  const { code = '' } = error;
  // TypeScript takes it for an Error; it is the code of OpenSSL, of the client's certificate.
  const verdict = socket.authorizationError as unknown as string | null;
  if (verdict === 'CERT_HAS_EXPIRED' || verdict === 'CERT_NOT_YET_VALID') {
    return { failure: 'certificate_expired', told: `the client certificate has expired, or is not valid yet (${verdict})` };
  }
  if (verdict) {
    const known = files.current.authorities.map(({ subject }) => subject.replaceAll('\n', ', ')).join('; ');
    return { failure: 'certificate_untrusted', told: `the client certificate is of no CA in GRPC_TLS_CA, ${known} (${verdict})` };
  }
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') {
    return { failure: 'certificate_required', told: 'the client shows no certificate (GRPC_TLS_MUTUAL asks for one)' };
  }
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH/.test(code)) return { failure: 'plaintext', told: 'the client does not speak TLS' };
  if (!spoke) return { failure: 'closed', told: 'the client left without a word' };
  if (code === 'ECONNRESET' || /ALERT.*(UNKNOWN_CA|CERTIFICATE)/.test(code)) {
    const [own] = files.current.chain;
    const shown = `${own.subjectAltName ?? 'no name'}, of ${own.issuer.replaceAll('\n', ', ')}, until ${own.validToDate.toISOString()}`;
    return {
      failure: 'refused_by_client',
      told: `the client ended the handshake, as one does that does not take our certificate (${shown}): ${code}`,
    };
  }
  return { failure: 'other', told: `the handshake failed: ${code || error.message}` };
}

const addressOf = ({ remoteAddress, remotePort }: Socket): string =>
  remoteAddress === undefined ? 'a client that is gone' : `${remoteAddress}:${remotePort}`;
