import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** An authority that exists for one test, so that no certificate is kept, runs out, or needs a program to be made. */
export class TestAuthority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** Its certificate, as PEM. */
  readonly certificate: string;

  constructor(private readonly name = 'Test authority') {
    this.certificate = this.certify(name, this.keys.publicKey, extension('551d13', sequence(der(0x01, Buffer.from([0xff])))));
  }

  /** A key and certificate for a server with this DNS name, as PEM. */
  issue(dnsName: string): { key: string; cert: string } {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const cert = this.certify(dnsName, publicKey, extension('551d11', sequence(der(0x82, Buffer.from(dnsName)))));
    return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert };
  }

  private certify(subject: string, publicKey: KeyObject, extensions: Buffer): string {
    const algorithm = sequence(oid('2a8648ce3d040302'));
    const toBeSigned = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([1, ...Buffer.from(subject).subarray(0, 8)])),
      algorithm,
      commonName(this.name),
      sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('491231235959Z'))),
      commonName(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(extensions)),
    );
    const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, this.keys.privateKey));
    const base64 = sequence(toBeSigned, algorithm, signature).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  }
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...contents: Buffer[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));
