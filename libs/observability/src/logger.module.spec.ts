import { once } from 'node:events';
import { connect } from 'node:net';
import { Controller, Get, Header, HttpCode, Logger, Module, Post, Res } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Logger as PinoNestLogger, PinoLogger } from 'nestjs-pino';
import { LogLines } from './log-lines.fixture';
import { loggerModule } from './logger.module';
import { metricsModule } from './metrics.module';
import { observabilitySettings } from './observability.settings';

@Controller()
class RoutesController {
  private readonly logger = new Logger(RoutesController.name);

  @Post('mail')
  @HttpCode(202)
  send() {
    this.logger.log('inside');
    return {};
  }

  @Get('broken')
  broken() {
    throw new Error('a defect that names bob@example.com');
  }

  /** Never answers. */
  @Get('slow')
  slow(@Res() _reply: object) {}

  @Get('health/live')
  @Header('content-type', 'application/json')
  live() {
    return {};
  }
}

/** nestjs-pino makes one logger per process: all tests share it, each with a level of its own. */
const log = new LogLines();
let app: NestFastifyApplication;

async function start(LOG_LEVEL: 'debug' | 'info'): Promise<void> {
  @Module({ imports: [loggerModule('gateway', { LOG_LEVEL }, log), metricsModule()], controllers: [RoutesController] })
  class AppModule {}

  const testing = await Test.createTestingModule({ imports: [AppModule] }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter({ genReqId: () => 'id-1', trustProxy: '127.0.0.1' }), {
    bufferLogs: true,
  });
  app.useLogger(app.get(PinoNestLogger));
  PinoLogger.root.level = LOG_LEVEL;
  await app.listen(0, '127.0.0.1');
  log.lines.length = 0;
}

afterEach(() => app.close());

const requests = () => log.lines.filter(({ msg }) => msg === 'request');

test('one line per request: id, method, path, status, duration, and nothing of headers, query and body', async () => {
  await start('info');
  const headers = { authorization: 'Bearer token-of-ann', 'content-type': 'application/json' };
  await app.inject({ method: 'POST', url: '/mail?to=bob@example.com', headers, payload: '{"to":"bob@example.com"}' });
  expect(requests()).toEqual([
    {
      level: 'info',
      time: expect.any(String),
      name: 'gateway',
      request_id: 'id-1',
      client_ip: '127.0.0.1',
      method: 'POST',
      path: '/mail',
      status: 202,
      duration_ms: expect.any(Number),
      msg: 'request',
    },
  ]);
  expect(log.lines.find(({ msg }) => msg === 'inside')).toMatchObject({ request_id: 'id-1', context: 'RoutesController' });
  expect(JSON.stringify(log.lines)).not.toMatch(/token-of-ann|bob@example/);
});

test.each([
  ['203.0.113.9', '203.0.113.9'],
  ['x'.repeat(10_000), 'x'.repeat(64)],
])('behind a proxy the client is whom the proxy names, cut short where that is no address (case %#)', async (named, client_ip) => {
  await start('info');
  await app.inject({ url: '/', headers: { 'x-forwarded-for': named } });
  expect(requests()).toMatchObject([{ client_ip }]);
});

test.each([
  ['/', '/', 404, 'info'],
  ['/none', '/none', 404, 'info'],
  ['/none/bob@example.com/x?y=z', '/none/*/x', 404, 'info'],
  ['/none/bob%40example.com', '/none/*', 404, 'info'],
  ['/broken', '/broken', 500, 'error'],
])('%s: logged as %s with %i at %s', async (url, path, status, level) => {
  await start('info');
  await app.inject({ url });
  expect(requests()).toMatchObject([{ path, status, level }]);
});

test('a client that goes away is 499', async () => {
  await start('info');
  const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
  socket.write('GET /slow HTTP/1.1\r\nhost: x\r\n\r\n');
  const arrived = once(app.getHttpServer(), 'request');
  await arrived;
  socket.destroy();
  expect(await log.atLeast(1)).toMatchObject([{ path: '/slow', status: 499 }]);
});

test.each(['/health/live', '/metrics'])('%s is logged at debug only', async (url) => {
  await start('info');
  expect((await app.inject({ url })).statusCode).toBe(200);
  expect(requests()).toEqual([]);
  await app.close();
  await start('debug');
  await app.inject({ url });
  expect(requests()).toMatchObject([{ path: url, level: 'debug' }]);
});

test('metrics of the process are told, also by a second app in it', async () => {
  await start('info');
  const first = app;
  await start('info');
  const { payload, headers } = await app.inject({ url: '/metrics' });
  await first.close();
  expect(headers['content-type']).toContain('text/plain');
  expect(payload).toContain('process_cpu_user_seconds_total');
});

test('the level is info where nothing else is said', () => {
  expect(observabilitySettings.LOG_LEVEL.parse(undefined)).toBe('info');
  expect(observabilitySettings.LOG_LEVEL.safeParse('loud').success).toBe(false);
});
