import { Logger } from '@nestjs/common';
import { type Certificates, type CertificatePaths, expiryOf, outsideOfItsTime, readCertificates } from './certificates';

const logger = new Logger('CertificateFiles');

/**
 * A pair and the CAs of its peers in files that others replace: looked at again and again, by content (Kubernetes swaps
 * links). What is on disk counts only once it is whole and good; until then the last good ones do, and an alarm is raised.
 */
export class CertificateFiles {
  private good: Certificates;
  private fault: string | undefined;
  private told: string | undefined;
  private readonly listeners = new Set<(good: Certificates) => void>();
  private readonly timer: NodeJS.Timeout;

  /** @throws CertificateFault */
  constructor(
    private readonly paths: CertificatePaths,
    reloadSeconds: number,
  ) {
    this.good = readCertificates(paths);
    this.tellExpiry();
    this.timer = setInterval(() => this.look(), reloadSeconds * 1000).unref();
  }

  /** What new connections use. */
  get current(): Certificates {
    return this.good;
  }

  /** Whether what is on disk cannot be used, so that older ones are. */
  get broken(): boolean {
    return this.fault !== undefined;
  }

  /** When the certificate in use, or one of its chain, expires: unix seconds. */
  get expiresAt(): number {
    return expiryOf(this.good);
  }

  /** Called with what is in use from now on, with each change. */
  onChange(listener: (good: Certificates) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** Looks at the files now. */
  look(): void {
    try {
      const found = readCertificates(this.paths);
      if (!isSame(found, this.good)) this.take(found);
      if (this.fault !== undefined) logger.log(`${this.paths.GRPC_TLS_CERT}, its key and its CAs on disk are good again, and in use`);
      this.fault = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.fault) logger.error(`${message}. What was read before stays in use, until ${this.expiry()}`);
      this.fault = message;
    }
    this.tellExpiry();
  }

  private take(found: Certificates): void {
    const wrong = outsideOfItsTime(found);
    if (wrong !== undefined && outsideOfItsTime(this.good) === undefined) throw new Error(`${this.paths.GRPC_TLS_CERT}: ${wrong}`);
    this.good = found;
    logger.log(`${this.paths.GRPC_TLS_CERT}, its key and its CAs are read anew; the certificate is good until ${this.expiry()}`);
    for (const listener of this.listeners) listener(found);
  }

  /** Once for each certificate: it is used all the same, for there is no better one. */
  private tellExpiry(): void {
    const wrong = outsideOfItsTime(this.good);
    if (wrong !== this.told && wrong !== undefined) {
      logger.error(`${this.paths.GRPC_TLS_CERT}: ${wrong}: others refuse connections with it`);
    }
    this.told = wrong;
  }

  private readonly expiry = (): string => new Date(this.expiresAt * 1000).toISOString();
}

const isSame = (one: Certificates, other: Certificates): boolean =>
  one.certificate.equals(other.certificate) && one.key.equals(other.key) && one.ca.equals(other.ca);
