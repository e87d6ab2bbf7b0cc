import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChannelCredentials,
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { loadPackage } from '@sky-genesis/proto';
import { HealthImplementation } from 'grpc-health-check';
import { callContextInterceptor } from '../call-context.interceptor';
import type { IsTrusted } from '../trusted-proxies';
import type { Pair } from '../../../../test/test-authority';
import { CertificateFiles } from './certificate-files';
import type { CertificatePaths } from './certificates';
import { CertificateProvider } from './certificate.provider';
import { type HandshakeFailure, reportHandshakes } from './handshake-failures';
import { peerInterceptor } from './peer.interceptor';
import { peerRules } from './peer-rules';

/** The files of one side, in a folder of their own, replaced as an operator or Kubernetes does. */
export class TestFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'tls-'));
  readonly paths: CertificatePaths = {
    GRPC_TLS_CERT: join(this.folder, 'tls.crt'),
    GRPC_TLS_KEY: join(this.folder, 'tls.key'),
    GRPC_TLS_CA: join(this.folder, 'ca.crt'),
  };
  private files: CertificateFiles | undefined;

  constructor(pair: Pair, ca: string) {
    this.write({ ...pair, ca });
  }

  /** Each whole, one after the other. */
  write({ cert, key, ca }: { cert?: string; key?: string; ca?: string }): void {
    for (const [path, text] of [
      [this.paths.GRPC_TLS_CERT, cert],
      [this.paths.GRPC_TLS_KEY, key],
      [this.paths.GRPC_TLS_CA, ca],
    ] as const) {
      if (text === undefined) continue;
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    }
  }

  /** Looked at every second, and by `look()`. */
  get opened(): CertificateFiles {
    return (this.files ??= new CertificateFiles(this.paths, 1));
  }

  close(): void {
    this.files?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface TlsServerOptions {
  files?: TestFiles | undefined;
  mutual?: boolean;
  peers?: readonly string[];
  isTrusted?: IsTrusted;
  handlers?: UntypedServiceImplementation;
}

/** A grpc-js server with the interceptors of ours that TLS is about; without files plaintext. */
export class TlsServer {
  readonly failures: HandshakeFailure[] = [];

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start({ files, mutual = true, peers = [], isTrusted = () => false, handlers }: TlsServerOptions): Promise<TlsServer> {
    const server = new Server({
      interceptors: [
        callContextInterceptor({ maxMessageBytes: 65_536, timeoutMs: 10_000 }, isTrusted),
        ...(files && mutual ? [peerInterceptor(peerRules(peers))] : []),
      ],
    });
    server.addService(loadPackage()['sky_genesis.MailService'] as ServiceDefinition, handlers ?? answering);
    new HealthImplementation({ '': 'SERVING' }).addToServer(server);
    const secure = files ? new CertificateProvider(files.opened).serverCredentials(mutual) : ServerCredentials.createInsecure();
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', secure, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const started = new TlsServer(server, `127.0.0.1:${port}`);
    if (files) reportHandshakes(server, files.opened, (failure) => started.failures.push(failure));
    return started;
  }

  close(): void {
    this.server.forceShutdown();
  }
}

const answering: UntypedServiceImplementation = {
  getEmail: (_call: unknown, callback: (error: null, answer: object) => void) => callback(null, { status: 'sent' }),
};

/** A connection of its own, which nobody shares; plaintext without files. */
export const tlsClient = (address: string, files?: TestFiles, service = 'mail'): Client =>
  clientWith(address, files ? new CertificateProvider(files.opened).channelCredentials(service) : credentials.createInsecure());

export const clientWith = (address: string, secure: ChannelCredentials): Client =>
  new Client(address, secure, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 100,
  });

/** The servers, clients and files of one test, and what they log; ended together. */
export class TlsSides {
  private readonly ends: (() => void)[] = [];
  private readonly log = recordLog();

  files(pair: Pair, ca: string): TestFiles {
    const files = new TestFiles(pair, ca);
    this.ends.push(() => files.close());
    return files;
  }

  async serve(options: TlsServerOptions): Promise<TlsServer> {
    const server = await TlsServer.start(options);
    this.ends.push(() => server.close());
    return server;
  }

  client(address: string, files?: TestFiles): Client {
    return this.ending(tlsClient(address, files));
  }

  clientWith(address: string, secure: ChannelCredentials): Client {
    return this.ending(clientWith(address, secure));
  }

  /** The lines of one logger, or all. */
  logged(context?: string): string[] {
    return this.log.filter((line) => context === undefined || line.includes(` ${context}: `));
  }

  close(): void {
    for (const end of this.ends.splice(0)) end();
    Logger.overrideLogger(false);
  }

  private ending(client: Client): Client {
    this.ends.push(() => client.close());
    return client;
  }
}

/** One call: undefined when it was answered. */
export function call(
  client: Client,
  path = '/sky_genesis.MailService/GetEmail',
  metadata = new Metadata(),
): Promise<ServiceError | undefined> {
  const [, service = '', method = ''] = path.split('/');
  const { requestSerialize, responseDeserialize } = (loadPackage()[service] as ServiceDefinition)[method]!;
  return new Promise((resolve) =>
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, { deadline: Date.now() + 5000 }, (error) =>
      resolve(error ?? undefined),
    ),
  );
}

/** What is logged from now on, as `level context: message`. */
export function recordLog(): string[] {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (message: unknown, ...more: unknown[]): void =>
      void lines.push(`${level} ${String(more.at(-1))}: ${String(message)}`);
  Logger.overrideLogger({ log: record('info'), error: record('error'), warn: record('warn'), debug: record('debug') });
  return lines;
}
