import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { authInterceptor, ServiceTokens, TokenVerifier } from '@sky-genesis/auth';
import { GrpcServer, Mesh, OpenStreams, trustedProxies } from '@sky-genesis/grpc';
import { countHandshakeFailure, grpcObserver, observeCertificates, observeConnections, tellRegistered } from '@sky-genesis/observability';
import { Logger } from 'nestjs-pino';
import { DeliveryWorker } from './delivery/delivery.worker';
import { DatabaseMonitor } from './health/database.monitor';
import type { MailConfig } from './mail.config';
import { MailModule } from './mail.module';

export interface RunningMail {
  /** host:port */
  grpcUrl: string;
  /** http://host:port */
  healthUrl: string;
  /** In order: NOT_SERVING, no new calls, running calls and deliveries end within the grace, connections close. */
  close(): Promise<void>;
}

/** Starts accepting and delivering; serves once the database answers and its schema fits. */
export async function startMail(config: MailConfig): Promise<RunningMail> {
  const grpcUrl = `${config.GRPC_HOST}:${config.GRPC_PORT}`;
  const streams = new OpenStreams(config.GRPC_STREAMS_PER_TENANT);
  const mesh = new Mesh(config);
  if (mesh.certificates) observeCertificates(mesh.certificates);
  const observer = grpcObserver('mail', config);
  const server = new GrpcServer({
    url: grpcUrl,
    services: ['sky_genesis.MailService', 'sky_genesis.StreamingService'],
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
  const app = await NestFactory.create<NestFastifyApplication>(MailModule.forRoot(config, server, streams, mesh), new FastifyAdapter(), {
    bufferLogs: true,
    abortOnError: false,
  });
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
  const worker = app.get(DeliveryWorker);
  const monitor = app.get(DatabaseMonitor);
  await monitor.start();
  worker.start();
  server.announce(mesh.discovery.register('mail', config, tellRegistered('mail')));
  return {
    grpcUrl,
    healthUrl: await app.getUrl(),
    close: async () => {
      monitor.stop();
      await server.drain();
      await worker.stop();
      await app.close();
    },
  };
}
