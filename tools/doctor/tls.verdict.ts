import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { identitiesOf, namesService } from '@sky-genesis/grpc';
import { certificatesIn, DAY_MS, dayOf, expiry, isSignedBy, namesIn } from './certificate';

/** Whom the certificate of a server has to be for: the host that was called, or the program, as services are named. */
export interface ExpectedName {
  host: string;
  /** Such as `mail`: a DNS name or the end of a SPIFFE id. */
  program?: string;
}

/** What a handshake brought to light. */
export interface Shown {
  protocol: string;
  /** The server's own, then who signed it, as far as it was sent or is known. */
  chain: readonly X509Certificate[];
  /** OpenSSL's, of one fault at most: it stops at the first. */
  opinion: string | undefined;
  /** The code of the alert by which the server ended it. */
  refusedBy?: string | undefined;
}

interface Fault {
  found: string;
  todo: string;
}

/** What a server showed, and everything that is wrong with it. */
export interface TlsShown {
  /** Such as TLSv1.3. */
  protocol: string;
  /** The server's names, who signed it and until when it is good, for a person. */
  summary: string;
  faults: Fault[];
  /** Its certificate ends within two weeks. */
  endsSoon: boolean;
}

/** @param ca PEM of who is trusted; undefined: the public authorities */
export function verdict(shown: Shown, name: ExpectedName, ca: string | undefined, caSetting: string): TlsShown {
  const [certificate] = shown.chain;
  if (!certificate) return { protocol: shown.protocol, summary: 'no certificate', faults: [], endsSoon: false };
  const faults = [
    ...chainFault(shown, ca, caSetting),
    ...nameFault(name, certificate),
    ...expiry(certificate),
    ...(shown.refusedBy === undefined ? [] : [refusalFault(shown.refusedBy)]),
  ];
  const endsAt = Date.parse(certificate.validTo);
  const summary = `certificate of ${namesIn(certificate)}, issued by ${issuerOf(shown)}, good until ${dayOf(endsAt)}`;
  return { protocol: shown.protocol, summary, faults, endsSoon: endsAt - Date.now() < 14 * DAY_MS };
}

/** Of a handshake that the server ended before it was done. */
export const refusal = (alert: string): TlsShown => ({
  protocol: '',
  summary: 'a handshake that it refuses',
  faults: [refusalFault(alert)],
  endsSoon: false,
});

const issuerOf = ({ chain }: Shown): string => chain.at(-1)?.issuer.replaceAll('\n', ', ') ?? '';

function chainFault(shown: Shown, ca: string | undefined, caSetting: string): Fault[] {
  const { opinion, chain } = shown;
  // Names are told by themselves. So is a date, but that leaves open who signed it.
  if (opinion === undefined || opinion.includes('ALTNAME')) return [];
  if (/EXPIRED|NOT_YET_VALID/.test(opinion) && (ca === undefined || isSignedBy(chain, certificatesIn(ca)))) return [];
  const found = `its certificate is signed by ${issuerOf(shown)}, which is not trusted here`;
  return [{ found, todo: `Let ${caSetting} hold the authority that signed the other side, and let that send its whole chain.` }];
}

function nameFault({ host, program }: ExpectedName, certificate: X509Certificate): Fault[] {
  const isHost = isIP(host) === 0 ? certificate.checkHost(host, { subject: 'never' }) : certificate.checkIP(host);
  if (isHost !== undefined || (program !== undefined && namesService(identitiesOf(certificate), program))) return [];
  const wanted = program === undefined ? host : `${host} or ${program}`;
  const found = `its certificate is for ${namesIn(certificate)}, not for ${wanted}`;
  return [{ found, todo: `Give it a certificate that names ${wanted}, or call it by a name that it has.` }];
}

function refusalFault(code: string): Fault {
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/.test(code)) {
    return { found: 'it wants a client certificate, and none was shown', todo: 'Set GRPC_TLS_CERT and GRPC_TLS_KEY (mutual TLS).' };
  }
  const todo = 'Let GRPC_TLS_CERT be signed by an authority that is in GRPC_TLS_CA of the other side, and be in date: its log tells more.';
  return { found: `it ended the connection when it had the client certificate (${code})`, todo };
}
