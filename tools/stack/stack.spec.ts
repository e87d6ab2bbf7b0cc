import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/free-port';
import { FakePrograms } from './fake-programs.fixture';
import { processIdentity } from './process-identity';
import { ProcessEndedError } from './running-process';
import { Stack } from './stack';
import { readStackFile } from './stack-file';
import { StartError } from './start-error';

let fakes: FakePrograms;
let running: Stack[];

beforeEach(() => {
  fakes = new FakePrograms();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((stack) => stack.end()));
  fakes.remove();
});

function stackOf(environment: Record<string, string> = {}, onGiveUp = () => undefined): Stack {
  const stack = new Stack({
    config: fakes.config(environment),
    environment: { ...fakes.environment, DATABASE_URL: 'postgresql://127.0.0.1:1/none', ...environment },
    programs: fakes.files,
    terminal: fakes.terminal,
    onGiveUp,
    restartLimits: { firstDelayMs: 10, longestDelayMs: 20, mostInARow: 3, steadyMs: 60_000 },
  });
  running.push(stack);
  return stack;
}

const stackFile = (): string => join(fakes.dataFolder, 'stack.json');

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10);
}

test('all starts in order, is described in stack.json, and ends in the opposite order', async () => {
  const stack = stackOf();
  const described = await stack.start();
  expect(fakes.diary()).toEqual([
    'migrate runs on postgresql://127.0.0.1:1/none',
    'search-migrate runs on postgresql://127.0.0.1:1/none',
    'sink starts',
    'search starts',
    'mail starts',
    'gateway starts',
    'edge starts',
  ]);
  expect(readStackFile(stackFile())).toEqual(described);
  expect(statSync(stackFile()).mode & 0o777).toBe(0o600);
  expect(described).toEqual({
    urls: {
      gateway: `http://127.0.0.1:${described.ports.gateway}`,
      sink: `smtp://127.0.0.1:${described.ports.smtp_sink}`,
      edge: `https://localhost:${described.ports.edge}`,
    },
    ports: {
      gateway: expect.any(Number),
      mail_grpc: expect.any(Number),
      mail_health: expect.any(Number),
      search_grpc: expect.any(Number),
      search_health: expect.any(Number),
      smtp_sink: expect.any(Number),
      edge: expect.any(Number),
    },
    token: expect.stringMatching(/^ey/),
    pids: {
      gateway: expect.any(Number),
      mail: expect.any(Number),
      search: expect.any(Number),
      sink: expect.any(Number),
      edge: expect.any(Number),
    },
  });
  expect(new Set(Object.values(described.ports)).size).toBe(7);
  expect((await fetch(described.urls.gateway)).status).toBe(200);
  // Each leads a process group of its own, so that a Ctrl-C reaches the stack alone.
  for (const pid of Object.values(described.pids)) expect(process.kill(-pid, 0)).toBe(true);
  expect(fakes.shown).toContain(`curl -sS ${described.urls.gateway}/api/v1/mail/send`);
  expect(fakes.shown).toContain(`curl -sS '${described.urls.gateway}/api/v1/search?q=Hello'`);

  await stack.end();
  expect(fakes.diary().slice(7)).toEqual(['edge ends', 'gateway ends', 'mail ends', 'search ends', 'sink ends']);
  expect(existsSync(stackFile())).toBe(false);
});

test('a second start on the same folder is refused by the pid of the first, which goes on', async () => {
  await stackOf().start();
  const second = stackOf();
  await expect(second.start()).rejects.toThrow(new RegExp(`already \\(pid ${process.pid}\\)`));
  await second.end();
  expect(existsSync(stackFile())).toBe(true);
  expect(fakes.diary()).not.toContain('gateway ends');
});

test('after an orderly end the folder can be used again, with the same keys', async () => {
  const secret = (): string => readFileSync(join(fakes.dataFolder, 'secrets', 'auth-secret'), 'utf8');
  const first = stackOf();
  await first.start();
  const kept = secret();
  await first.end();
  await stackOf().start();
  expect(secret()).toBe(kept);
});

test('ports in use are all named with their settings before anything starts', async () => {
  const { ports } = await stackOf().start();
  const settings = { SGE_HTTP_PORT: String(ports.gateway), SGE_SMTP_SINK_PORT: String(ports.smtp_sink) };
  const other = stackOf({ ...settings, SGE_DATA_DIR: join(fakes.folder, 'other') });
  const lines = [`Port ${ports.gateway} is in use. Set SGE_HTTP_PORT`, `Port ${ports.smtp_sink} is in use. Set SGE_SMTP_SINK_PORT`];
  await expect(other.start()).rejects.toThrow(new RegExp(lines.join('.*\n')));
  expect(fakes.diary().filter((line) => line.startsWith('migrate runs'))).toHaveLength(1);
});

test.each([
  ['UDP', 'udp4', '127.0.0.1'],
  ['UDP on IPv6', 'udp6', '::1'],
] as const)('the port of the edge is to be free on %s, too', async (place, type, address) => {
  const other = createSocket(type).bind({ port: await freePort(), address });
  await once(other, 'listening');
  const { port } = other.address();
  await expect(stackOf({ SGE_EDGE_PORT: String(port) }).start()).rejects.toThrow(`Port ${port} (${place}) is in use. Set SGE_EDGE_PORT`);
  other.close();
});

test('a data folder that cannot be made is told with the setting', async () => {
  const stack = stackOf({ SGE_DATA_DIR: join(fakes.files.mail, 'data') });
  await expect(stack.start()).rejects.toThrow(StartError);
  await expect(stackOf({ SGE_DATA_DIR: join(fakes.files.mail, 'data') }).start()).rejects.toThrow(/cannot be written.*SGE_DATA_DIR/);
});

test('a program that dies is named with its last lines and started again', async () => {
  const { pids } = await stackOf().start();
  process.kill(pids.mail ?? 0, 'SIGKILL');
  await until(() => fakes.shown.includes('mail runs again.'));
  expect(fakes.shown).toMatch(/mail ended \(SIGKILL\)\. Starting it again in 0\.01 s\.\n {2}mail \| mail listens\n/);
  const now = readStackFile(stackFile()).pids;
  expect(now.mail).not.toBe(pids.mail);
  expect(processIdentity(now.mail ?? 0)).toBeDefined();
  expect(now).toEqual({ ...pids, mail: now.mail });
});

test('what a program that died leaves in its process group ends with it', async () => {
  const worker = `require('node:child_process').spawn('sleep', ['60'], { stdio: 'ignore' }).pid`;
  fakes.program(
    'sink',
    `console.log('worker ' + ${worker}); require('node:net').createServer().listen(process.env.SGE_SMTP_SINK_PORT, '127.0.0.1')`,
  );
  const { pids } = await stackOf().start();
  const [, pid] = /worker (\d+)/.exec(readFileSync(join(fakes.dataFolder, 'logs', 'sink.log'), 'utf8')) ?? [];
  expect(processIdentity(Number(pid))).toBeDefined();
  process.kill(pids.sink ?? 0, 'SIGKILL');
  await until(() => processIdentity(Number(pid)) === undefined);
});

test('a program that does not stay up is given up', async () => {
  const gaveUp = new Promise<void>(
    (resolve) =>
      void stackOf({}, () => void resolve())
        .start()
        .then(({ pids }) => {
          fakes.program('mail', 'console.error("no more"); process.exit(3)');
          process.kill(pids.mail ?? 0, 'SIGKILL');
        }),
  );
  await gaveUp;
  expect(fakes.shown).toMatch(/mail ended \(exit code 3\)\. It does not stay up: giving up\.\n {2}mail \| no more/);
});

test('a program that cannot start ends the start, with its last lines, and what ran already', async () => {
  fakes.program('gateway', 'console.error("HTTP_HOST: no such host"); process.exit(1)');
  const stack = stackOf();
  const error: unknown = await stack.start().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ProcessEndedError);
  expect((error as ProcessEndedError).ending).toMatchObject({
    name: 'gateway',
    how: 'exit code 1',
    lastLines: ['HTTP_HOST: no such host'],
  });
  await stack.end();
  expect(fakes.diary().slice(-3)).toEqual(['mail ends', 'search ends', 'sink ends']);
  expect(existsSync(stackFile())).toBe(false);
});

test('migrations that fail end the start', async () => {
  fakes.program('migrate', 'console.error("the database is newer"); process.exit(1)');
  await expect(stackOf().start()).rejects.toMatchObject({ ending: { name: 'migrate', lastLines: ['the database is newer'] } });
  expect(fakes.diary()).toEqual(['']);
});

test('an end during the start leaves nothing running', async () => {
  fakes.program('mail', `require('node:fs').appendFileSync(process.env.DIARY, 'mail starts\\n'); setInterval(() => undefined, 1000)`);
  const stack = stackOf();
  const start = stack.start().catch((error: unknown) => error);
  await until(() => fakes.diary().includes('mail starts'));
  await stack.end();
  expect(await start).toMatchObject({ ending: { name: 'mail', how: 'SIGTERM' } });
  expect(fakes.diary().at(-1)).toBe('sink ends');
});

test('a relay and keys of the person’s own are used instead', async () => {
  const own = { MAIL_RELAY_URL: 'smtp://relay.example.com', AUTH_JWKS_URI: 'https://issuer.example.com/keys' };
  const described = await stackOf(own).start();
  expect(described).toMatchObject({ token: '', urls: { gateway: expect.any(String) } });
  expect(Object.keys(readStackFile(stackFile()).pids)).toEqual(['search', 'mail', 'gateway', 'edge']);
  expect(fakes.diary()).not.toContain('sink starts');
});

test('search has a database of its own where one is named, and none with an Elasticsearch', async () => {
  const first = stackOf({ SEARCH_DATABASE_URL: 'postgresql://127.0.0.1:1/found' });
  await first.start();
  expect(fakes.diary()).toContain('search-migrate runs on postgresql://127.0.0.1:1/found');
  await first.end();
  const before = fakes.diary().length;
  await stackOf({ ELASTICSEARCH_URL: 'http://127.0.0.1:9200' }).start();
  expect(fakes.diary().slice(before)).toEqual([
    'migrate runs on postgresql://127.0.0.1:1/none',
    'sink starts',
    'search starts',
    'mail starts',
    'gateway starts',
    'edge starts',
  ]);
});

const noNginx = '#!/bin/sh\necho "get-nginx: this is not Debian" >&2; exit 1';

test('where neither nginx nor Docker can be had, a line says why, and everything else works', async () => {
  fakes.program('getNginx', noNginx);
  const { urls, pids } = await stackOf().start();
  expect(fakes.shown).toContain('No HTTP/3: this is not Debian; there is no docker. Everything else works');
  expect(urls.edge).toBeUndefined();
  expect(pids.edge).toBeUndefined();
  expect((await fetch(urls.gateway)).status).toBe(200);
});

test('where no nginx can be had, but Docker, the edge is one in a container', async () => {
  fakes.program('getNginx', noNginx);
  fakes.program('edgeInDocker', `#!/bin/sh\n[ "$1" = --build ] || exec "${fakes.files.edge}"`);
  const { urls } = await stackOf().start();
  expect(urls.edge).toBeDefined();
  expect(fakes.diary().at(-1)).toBe('edge starts');
});
