import { X509Certificate } from 'node:crypto';

export const DAY_MS = 86_400_000;

/** Whom it is for: its SANs as `DNS:mail`, or its CN where it has none. */
export const namesIn = ({ subjectAltName, subject }: X509Certificate): string => subjectAltName ?? subject.replaceAll('\n', ', ');

/** Out of date, on either side. */
export function expiry({ validFrom, validTo }: X509Certificate, now = Date.now()): { found: string; todo: string }[] {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  if (now > to) return [{ found: `its certificate expired on ${dayOf(to)}`, todo: 'Renew the certificate.' }];
  if (now < from)
    return [{ found: `its certificate is good from ${dayOf(from)} only`, todo: 'Put right the clock that is wrong, or renew it.' }];
  return [];
}

export const dayOf = (time: number): string => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** Every certificate of a PEM file. @throws Error where one cannot be read, or there is none */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('holds no certificate as PEM');
  return blocks.map((block) => new X509Certificate(block));
}

/** Whether it, or one of the intermediates beside it, is signed by one of the authorities. */
export function isSignedBy(chain: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  const [leaf, ...between] = chain;
  for (let signed = leaf, links = 0; signed && links <= between.length; links++) {
    const current: X509Certificate = signed;
    if (authorities.some((ca) => current.checkIssued(ca) && current.verify(ca.publicKey))) return true;
    signed = between.find((link) => link !== current && current.checkIssued(link) && current.verify(link.publicKey));
  }
  return false;
}
