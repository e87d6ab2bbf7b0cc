import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { StackDescription } from '../../tools/stack/stack-file';
import { eventually } from '../eventually';
import { docker } from './edge-container';
import { curlPath, describeWith } from './provisioned';

const ROOT = resolve(__dirname, '../..');
const run = promisify(execFile);

/** A stack with stand-ins for the apps, in a process that can be killed, as on a machine that is not Debian. Tells its folder when it is ready. */
const MAIN = `
  const { FakePrograms } = require('${ROOT}/tools/dist/stack/fake-programs.fixture.js');
  const { Stack } = require('${ROOT}/tools/dist/stack/stack.js');
  const fakes = new FakePrograms();
  fakes.program('getNginx', '#!/bin/sh\\necho "get-nginx: this is not Debian" >&2; exit 1');
  const stack = new Stack({
    config: fakes.config(),
    environment: { ...fakes.environment, DATABASE_URL: 'postgresql://127.0.0.1:1/none' },
    programs: { ...fakes.files, edgeInDocker: '${ROOT}/nginx-quic/in-docker' },
    terminal: fakes.terminal,
    onGiveUp: () => process.exit(1),
  });
  process.on('SIGTERM', () => stack.end().then(() => process.exit(0)));
  stack.start().then(() => console.log(fakes.folder));
`;

describeWith('docker', 'curl-http3')('the edge of npm start where there is no nginx, but Docker', () => {
  let stack: ChildProcess;
  let folder: string;

  async function start(): Promise<void> {
    stack = spawn(process.execPath, ['-e', MAIN], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [ready] = (await once(stack.stdout!, 'data')) as [Buffer];
    folder = ready.toString().trim();
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(stack, 'exit');
    stack.kill(signal);
    await ended;
  }

  beforeEach(start, 300_000);

  afterEach(async () => {
    if (stack.exitCode === null && stack.signalCode === null) await end('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const dataFolder = (): string => join(folder, 'data');
  const described = (): StackDescription => JSON.parse(readFileSync(join(dataFolder(), 'stack.json'), 'utf8')) as StackDescription;

  async function get(path: string): Promise<string> {
    const options = ['-sS', '--http3-only', '--max-time', '10', '--cacert', join(dataFolder(), 'edge', 'tls', 'ca.pem')];
    return (await run(curlPath, [...options, `${described().urls.edge}${path}`])).stdout;
  }

  /** Those of this stack, running or not. */
  const containers = async (): Promise<string[]> =>
    (await docker('ps', '--all', '--quiet', '--filter', `volume=${join(dataFolder(), 'edge')}`)).split('\n').filter(Boolean);

  test('answers over HTTP/3 on loopback, and is in front of the apps', async () => {
    expect(await get('/health/ready')).toContain('"protocol":"HTTP/3.0"');
    // What the stand-in for the gateway says.
    expect(await get('/api/v1/mail')).toBe('ok');
    expect(await containers()).toHaveLength(1);
  });

  test('is started again when it is killed', async () => {
    const [before] = await containers();
    process.kill(described().pids.edge ?? 0, 'SIGKILL');
    await eventually(containers, (now) => now.length === 1 && now[0] !== before);
    await eventually(
      () => get('/health/ready').catch(String),
      (answer) => answer.includes('"protocol":"HTTP/3.0"'),
    );
  }, 60_000);

  test('ends with its stack', async () => {
    await end('SIGTERM');
    expect(await containers()).toEqual([]);
  }, 60_000);

  test('ends with a stack that is killed', async () => {
    await end('SIGKILL');
    await eventually(containers, (left) => left.length === 0);
  }, 60_000);
});
