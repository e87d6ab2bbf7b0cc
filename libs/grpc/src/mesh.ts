import { type ChannelCredentials, credentials, ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js';
import type { OnApplicationShutdown } from '@nestjs/common';
import { type DiscoveredService, Discovery } from './discovery/discovery';
import type { MeshSettings } from './mesh.settings';
import { CertificateFiles } from './tls/certificate-files';
import { CertificateProvider } from './tls/certificate.provider';
import { ConnectionErrors } from './tls/connection-errors';
import { peerInterceptor } from './tls/peer.interceptor';
import { peerRules } from './tls/peer-rules';
import { certificatePaths } from './tls/tls.settings';

/** What is needed to connect to a service. */
export interface Connection {
  /** As grpc-js takes it. */
  target: string;
  credentials: ChannelCredentials;
  /** Says why calls fail before they reach the service. */
  errors: ConnectionErrors;
}

/** TLS and discovery of one app, for its server and its clients alike. A provider of Nest that closes both when the app ends. */
export class Mesh implements OnApplicationShutdown {
  /** Undefined where gRPC is plaintext. */
  readonly certificates: CertificateFiles | undefined;
  readonly discovery: Discovery;
  private readonly provider: CertificateProvider | undefined;

  /** @throws CertificateFault */
  constructor(private readonly settings: MeshSettings) {
    const paths = certificatePaths(settings);
    this.certificates = paths && new CertificateFiles(paths, settings.GRPC_TLS_RELOAD_SECONDS);
    this.provider = this.certificates && new CertificateProvider(this.certificates);
    this.discovery = new Discovery(settings, (service) => this.credentialsFor(service));
  }

  get serverCredentials(): ServerCredentials {
    return this.provider?.serverCredentials(this.settings.GRPC_TLS_MUTUAL) ?? ServerCredentials.createInsecure();
  }

  /** Who may call a server, by certificate; none where callers need not show one. */
  get peerInterceptors(): readonly ServerInterceptor[] {
    return this.provider && this.settings.GRPC_TLS_MUTUAL ? [peerInterceptor(peerRules(this.settings.GRPC_TLS_PEERS))] : [];
  }

  /** @param address as `parseServiceAddress` takes it */
  connectionTo(service: DiscoveredService, address: string): Connection {
    const target = this.discovery.targetOf(address, service);
    this.discovery.prepare(target);
    const addresses = () => this.discovery.addressesOf(target);
    const isFound = target.startsWith('etcd:') || target.startsWith('list:');
    const errors = new ConnectionErrors({ service, addresses, files: this.certificates, ...(isFound && { host: service }) });
    return { target, credentials: this.credentialsFor(service), errors };
  }

  onApplicationShutdown(): void {
    this.discovery.close();
    this.certificates?.close();
  }

  private credentialsFor(service: DiscoveredService): ChannelCredentials {
    return this.provider?.channelCredentials(service) ?? credentials.createInsecure();
  }
}
