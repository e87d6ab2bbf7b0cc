import { type ChannelCredentials, experimental, type ServerCredentials } from '@grpc/grpc-js';
import type { CertificateFiles } from './certificate-files';
import type { Certificates } from './certificates';
import { checkServer } from './server-name';

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/**
 * Certificates from files as grpc-js takes them, so that new connections use what is on disk without a restart. Unlike
 * its own provider this one never takes back what was good: that drops every new connection.
 */
export class CertificateProvider implements experimental.CertificateProvider {
  private readonly caListeners = new Set<CaListener>();
  private readonly identityListeners = new Set<IdentityListener>();
  private readonly channels = new Map<string, ChannelCredentials>();

  constructor(private readonly files: CertificateFiles) {
    files.onChange((good) => {
      for (const listener of this.identityListeners) listener(identityIn(good));
      for (const listener of this.caListeners) listener(authoritiesIn(good));
    });
  }

  /** @param mutual whether callers must show a certificate of the CAs */
  serverCredentials(mutual: boolean): ServerCredentials {
    // The names of its parameters are the wrong way round (grpc-js 1.14): it takes the identity first, then the CAs.
    return experimental.createCertificateProviderServerCredentials(this, mutual ? this : null, mutual);
  }

  /**
   * For channels to a service, which must show a certificate for the name that is called, or for the service.
   * @param service as certificates name it, such as `mail`
   */
  channelCredentials(service: string): ChannelCredentials {
    // One for all channels to a service: grpc-js shares connections between equal credentials only.
    const known = this.channels.get(service);
    if (known) return known;
    const checkServerIdentity = (host: string, { raw }: { raw: Buffer }) => checkServer(raw, host, service);
    const made = experimental.createCertificateProviderChannelCredentials(this, this, { checkServerIdentity });
    this.channels.set(service, made);
    return made;
  }

  addCaCertificateListener(listener: CaListener): void {
    this.caListeners.add(listener);
    process.nextTick(() => this.caListeners.has(listener) && listener(authoritiesIn(this.files.current)));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.add(listener);
    process.nextTick(() => this.identityListeners.has(listener) && listener(identityIn(this.files.current)));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.identityListeners.delete(listener);
  }
}

const identityIn = ({ certificate, key }: Certificates) => ({ certificate, privateKey: key });
const authoritiesIn = ({ ca }: Certificates) => ({ caCertificate: ca });
