import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv6 } from 'node:net';

/** What stands in a certificate of a test. */
export interface Names {
  dns?: readonly string[];
  ips?: readonly string[];
  uris?: readonly string[];
  commonName?: string;
  from?: Date;
  to?: Date;
}

/** As PEM. */
export interface Pair {
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;

/** An authority of one test, which makes certificates of any names and times; no program is needed, and no file. */
export class TestAuthority {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** Its certificate, as PEM. */
  readonly certificate: string;

  constructor(private readonly name = 'Test authority') {
    const isAuthority = extension('551d13', sequence(der(0x01, Buffer.from([0xff]))));
    this.certificate = this.certify(this.keys.publicKey, { commonName: name }, [isAuthority]);
  }

  issue(names: Names): Pair {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const alternatives = [
      ...(names.dns ?? []).map((name) => der(0x82, Buffer.from(name))),
      ...(names.uris ?? []).map((uri) => der(0x86, Buffer.from(uri))),
      ...(names.ips ?? []).map((ip) => der(0x87, addressBytes(ip))),
    ];
    const extensions = alternatives.length === 0 ? [] : [extension('551d11', sequence(...alternatives))];
    const cert = this.certify(publicKey, names, extensions);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** What the product's certificates look like: those of `npm run certs`. */
  issueFor(service: string): Pair {
    return this.issue({ dns: [service, 'localhost'], ips: ['127.0.0.1', '::1'], uris: [`spiffe://sge/${service}`], commonName: service });
  }

  private certify(publicKey: KeyObject, { commonName = 'test', from, to }: Names, extensions: Buffer[]): string {
    const algorithm = sequence(oid('2a8648ce3d040302'));
    const toBeSigned = sequence(
      der(0xa0, der(0x02, Buffer.from([2]))),
      der(0x02, Buffer.from([1, ...randomBytes(8)])),
      algorithm,
      nameOf(this.name),
      sequence(time(from ?? new Date(Date.now() - DAY_MS)), time(to ?? new Date(Date.now() + DAY_MS))),
      nameOf(commonName),
      publicKey.export({ type: 'spki', format: 'der' }),
      ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
    );
    const signature = der(0x03, Buffer.from([0]), sign('sha256', toBeSigned, this.keys.privateKey));
    const base64 = sequence(toBeSigned, algorithm, signature).toString('base64');
    return `-----BEGIN CERTIFICATE-----\n${base64.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`;
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
const nameOf = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));
const time = (date: Date): Buffer => der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
const addressBytes = (ip: string): Buffer =>
  isIPv6(ip) ? Buffer.from([...Array<number>(15).fill(0), 1]) : Buffer.from(ip.split('.').map(Number));
