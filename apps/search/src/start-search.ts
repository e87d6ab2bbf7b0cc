import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { authInterceptor, ServiceTokens, TokenVerifier } from '@sky-genesis/auth';
import { GrpcServer, Mesh, OpenStreams, trustedProxies } from '@sky-genesis/grpc';
import { countHandshakeFailure, grpcObserver, observeCertificates, observeConnections, tellRegistered } from '@sky-genesis/observability';
import { Logger } from 'nestjs-pino';
import { EngineModule } from './engine.module';
import { EngineMonitor } from './health/engine.monitor';
import type { SearchConfig } from './search.config';
import { SearchModule } from './search.module';

export interface RunningSearch {
  /** host:port */
  grpcUrl: string;
  /** http://host:port */
  healthUrl: string;
  /** In order: NOT_SERVING, no new calls, running calls end within the grace, what was taken is written, connections close. */
  close(): Promise<void>;
}

/**
 * Starts answering, with Elasticsearch or without it: an engine that is away is prepared once it is there, and mail is
 * searched through MailService until then. PostgreSQL is waited for, and its schema must fit.
 * @param engine the module of another engine than the configuration says
 */
export async function startSearch(config: SearchConfig, engine: DynamicModule = EngineModule.forRoot(config)): Promise<RunningSearch> {
  const grpcUrl = `${config.GRPC_HOST}:${config.GRPC_PORT}`;
  const streams = new OpenStreams(config.GRPC_STREAMS_PER_TENANT);
  const mesh = new Mesh(config);
  if (mesh.certificates) observeCertificates(mesh.certificates);
  const observer = grpcObserver('search', config);
  const server = new GrpcServer({
    url: grpcUrl,
    services: ['sky_genesis.SearchService'],
    reflection: config.GRPC_REFLECTION,
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
        openReflection: config.GRPC_REFLECTION,
      }),
    },
    observe: observeConnections,
    onDrain: () => streams.drain(),
  });
  const module = SearchModule.forRoot(config, engine, server, streams, mesh);
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { bufferLogs: true, abortOnError: false });
  app.useLogger(app.get(Logger));
  try {
    app.connectMicroservice(server.options);
    await app.init();
    await app.startAllMicroservices();
    await app.listen(config.HEALTH_PORT, config.HEALTH_HOST);
  } catch (error) {
    await app.close();
    throw error;
  }
  const monitor = app.get(EngineMonitor);
  await monitor.start();
  server.announce(mesh.discovery.register('search', config, tellRegistered('search')));
  return {
    grpcUrl,
    healthUrl: await app.getUrl(),
    close: async () => {
      monitor.stop();
      await server.drain();
      await app.close();
    },
  };
}
