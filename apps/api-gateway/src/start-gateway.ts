import 'reflect-metadata';
import { setTimeout as delay } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Logger } from 'nestjs-pino';
import type { GatewayConfig } from './gateway.config';
import { GatewayModule } from './gateway.module';
import { ClosingSignal } from './http/closing.signal';
import { addDraining } from './http/draining.hook';
import { createHttpAdapter } from './http/http-server.adapter';
import { RequestValidationPipe } from './http/request-validation.pipe';
import { setUpDocs } from './openapi/docs.setup';
import { ProblemFilter } from './problem/problem.filter';

export interface Gateway {
  /** Where it listens: http://host:port */
  url: string;
  /** Readiness says no for DRAIN_NOTICE_SECONDS; then no new connections; running requests may end within DRAIN_SECONDS, then are cut. */
  close(): Promise<void>;
}

/** @throws Error when it cannot listen; nothing is left open then */
export async function startGateway(config: GatewayConfig): Promise<Gateway> {
  const app = await createGateway(config);
  try {
    await app.listen(config.HTTP_PORT, config.HTTP_HOST);
  } catch (error) {
    await app.close();
    throw error;
  }
  const url = await app.getUrl();
  app.get(Logger).log(`listening on ${url}`, 'Gateway');
  return {
    url,
    close: async () => {
      app.get(ClosingSignal).isNear = true;
      await delay(config.DRAIN_NOTICE_SECONDS * 1000);
      await app.close();
    },
  };
}

/** The app with all its routes, which does not listen yet. */
export async function createGateway(config: GatewayConfig, adapter = createHttpAdapter(config)): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.forRoot(config), adapter, {
    bufferLogs: true,
    // Otherwise Nest ends the process by itself, also that of a test.
    abortOnError: false,
    // The adapter has its own.
    bodyParser: false,
  });
  app.useLogger(app.get(Logger));
  app.useGlobalPipes(new RequestValidationPipe());
  app.useGlobalFilters(new ProblemFilter(config.GRPC_MAX_MESSAGE_SIZE));
  addDraining(app.getHttpAdapter().getInstance(), app.get(ClosingSignal));
  setUpDocs(app);
  return app;
}
