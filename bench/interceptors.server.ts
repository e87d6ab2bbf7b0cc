import { readFileSync } from 'node:fs';
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { authInterceptor, ServiceTokens, TokenVerifier } from '@sky-genesis/auth';
import { GrpcServer, type GrpcServerSettings } from '@sky-genesis/grpc';
import { grpcObserver } from '@sky-genesis/observability';
import { loadPackage } from '@sky-genesis/proto';
import type { ChainOptions, ServerTells } from './chain-server';
import { pageOf } from './mail-pages';

/** A gRPC server that answers by itself, with none, some or all of our interceptors. Run as a program: <ChainOptions as JSON>; it speaks by IPC. */
const options = JSON.parse(process.argv[2] ?? '') as ChainOptions;
const LIMITS = {
  GRPC_MAX_MESSAGE_SIZE: 4_194_304,
  GRPC_KEEPALIVE_TIME: 600,
  GRPC_TIMEOUT: 30,
  GRPC_CONNECTION_AGE_SECONDS: 86_400,
  DRAIN_NOTICE_SECONDS: 0,
  DRAIN_SECONDS: 0,
};

const page = new Map<number, object>();
const handlers = {
  listEmails: ({ request }: ServerUnaryCall<{ pageSize: number }, unknown>, respond: sendUnaryData<unknown>) => {
    const { pageSize } = request;
    if (!page.has(pageSize)) page.set(pageSize, { emails: pageOf(pageSize) });
    respond(null, page.get(pageSize) ?? null);
  },
};

function interceptors(): GrpcServerSettings['interceptors'] {
  if (options.chain === 'context') return {};
  const observer = grpcObserver('bench', { LOG_LEVEL: 'info' });
  if (options.chain === 'observer') return { logging: observer, metrics: observer };
  const authentication = authInterceptor({
    verifier: new TokenVerifier({ ...options.token, NODE_ENV: 'production' }),
    serviceTokens: new ServiceTokens(undefined),
    allowAnonymous: false,
    openReflection: false,
  });
  return { logging: observer, metrics: observer, authentication };
}

function makeServer() {
  // The same options of grpc-js for all, so that only interceptors differ.
  const { chain, minBytes } = options;
  const { options: nest } = new GrpcServer({
    url: '',
    services: [],
    reflection: false,
    limits: { ...LIMITS, GRPC_COMPRESSION: chain === 'compression' ? 'gzip' : 'off', GRPC_COMPRESSION_MIN_BYTES: minBytes },
    isTrusted: () => false,
    interceptors: interceptors(),
  }).options;
  const channelOptions = nest.channelOptions as ServerOptions;
  const server = new Server(chain === 'bare' ? { ...channelOptions, interceptors: [] } : channelOptions);
  server.addService(loadPackage()['sky_genesis.MailService'] as ServiceDefinition, handlers);
  return { server, load: () => nest.onLoadPackageDefinition?.(loadPackage(), server) };
}

function serverCredentials(): ServerCredentials {
  if (options.pair === undefined) return ServerCredentials.createInsecure();
  const [certificate, key] = [readFileSync(options.pair.certificate), readFileSync(options.pair.key)];
  return ServerCredentials.createSsl(certificate, [{ cert_chain: certificate, private_key: key }], true);
}

const tell = (what: ServerTells): void => void process.send?.(what);

const { server, load } = makeServer();
server.bindAsync('127.0.0.1:0', serverCredentials(), (error, port) => {
  if (error) throw error;
  load();
  process.on('message', () => tell({ cpu: process.cpuUsage() }));
  tell({ port });
});
