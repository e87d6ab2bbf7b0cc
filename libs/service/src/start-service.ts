import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { authInterceptor, ServiceTokens, TokenVerifier } from '@sky-genesis/auth';
import { GrpcServer, Mesh, OpenStreams, trustedProxies } from '@sky-genesis/grpc';
import { countHandshakeFailure, grpcObserver, observeCertificates, observeConnections, tellRegistered } from '@sky-genesis/observability';
import { Logger } from 'nestjs-pino';
import type { Service, Work } from './service';
import { ServiceModule } from './service.module';
import { isReflecting, type ServiceConfig } from './service.settings';

export interface RunningService {
  /** host:port */
  grpcUrl: string;
  /** http://host:port */
  healthUrl: string;
  /** In order: NOT_SERVING, no new calls, running calls and then the rest of the work end within the grace, connections close. */
  close(): Promise<void>;
}

/**
 * Starts a service, with its health and metrics over HTTP; others find it from then on.
 * @throws whatever keeps it from starting; nothing is left open then
 */
export async function startService(service: Service): Promise<RunningService> {
  const { name, config } = service;
  const streams = new OpenStreams(config.GRPC_STREAMS_PER_TENANT);
  const mesh = new Mesh(config);
  if (mesh.certificates) observeCertificates(mesh.certificates);
  const server = serverOf(service, mesh, streams);
  const root = ServiceModule.forRoot(service, { server, streams, mesh });
  // Otherwise Nest ends the process by itself, also that of a test.
  const app = await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), { bufferLogs: true, abortOnError: false });
  app.useLogger(app.get(Logger));
  let work: Work;
  try {
    app.connectMicroservice(server.options);
    await app.init();
    await app.startAllMicroservices();
    await app.listen(config.HEALTH_PORT, config.HEALTH_HOST);
    work = await service.begin(app);
  } catch (error) {
    await app.close();
    throw error;
  }
  server.announce(mesh.discovery.register(name, config, tellRegistered(name)));
  return {
    grpcUrl: urlOf(config),
    healthUrl: await app.getUrl(),
    close: async () => {
      work.stop();
      await server.drain();
      await work.end?.();
      await app.close();
    },
  };
}

function serverOf({ name, contract, config }: Service, mesh: Mesh, streams: OpenStreams): GrpcServer {
  const observer = grpcObserver(name, config);
  const reflection = isReflecting(config);
  return new GrpcServer({
    url: urlOf(config),
    services: contract,
    reflection,
    limits: config,
    mesh,
    onHandshakeFailure: countHandshakeFailure,
    isTrusted: trustedProxies(config.TRUSTED_PROXIES, config.GRPC_TLS_EDGE),
    interceptors: {
      logging: observer,
      metrics: observer,
      authentication: authInterceptor({
        verifier: new TokenVerifier(config),
        serviceTokens: new ServiceTokens(config.SERVICE_KEY),
        allowAnonymous: config.GRPC_ALLOW_ANONYMOUS,
        openReflection: reflection,
      }),
    },
    observe: observeConnections,
    onDrain: () => streams.drain(),
  });
}

const urlOf = ({ GRPC_HOST, GRPC_PORT }: ServiceConfig): string => `${GRPC_HOST}:${GRPC_PORT}`;
