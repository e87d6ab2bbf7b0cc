import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TestEdge } from './test-edge';

const RENDER = resolve(__dirname, '../../nginx-quic/render');

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'sge-edge-render-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const render = (settings: Record<string, string>) =>
  promisify(execFile)(RENDER, { env: { PATH: process.env['PATH'], EDGE_DIR: folder, EDGE_QUIC_BPF: 'off', ...settings } });

test('all faults are told together, each with its setting, and nothing is written', async () => {
  const wrong = {
    EDGE_PORT: '70000',
    EDGE_WORKERS: 'many',
    EDGE_GATEWAY_ADDR: 'http://gateway',
    EDGE_UPSTREAM_TLS: 'grpc',
    EDGE_UPSTREAM_CERT: '/tmp/c.pem',
  };
  const { code, stderr } = (await render(wrong).catch((error: { code: number; stderr: string }) => error)) as {
    code: number;
    stderr: string;
  };
  expect(code).toBe(1);
  for (const name of ['EDGE_PORT', 'EDGE_WORKERS', 'EDGE_GATEWAY_ADDR', 'EDGE_UPSTREAM_CA', 'EDGE_UPSTREAM_KEY']) {
    expect(stderr).toMatch(new RegExp(`^edge: ${name}: .*must be|^edge: ${name}: .*must match`, 'm'));
  }
  expect(readdirSync(folder)).toEqual([]);
});

test('what could end a directive of nginx is no value of any setting', async () => {
  const told = (await promisify(execFile)(RENDER, ['--settings'])).stdout;
  for (const [name] of told
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))) {
    const { stderr } = (await render({ [name!]: '1; return 200' }).catch((error: { stderr: string }) => error)) as { stderr: string };
    expect([name, stderr]).toEqual([name, expect.stringContaining(`${name}: `)]);
  }
}, 60_000);

test('no setting is left in what is rendered, and each part is there', async () => {
  await render({ EDGE_MAIL_ADDR: 'mail-1:50051,mail-2:50051', EDGE_RESOLVER: '127.0.0.53' });
  const parts = readdirSync(join(folder, 'conf'));
  expect(parts).toEqual(readdirSync(resolve(RENDER, '../conf')));
  for (const part of parts)
    expect([part, readFileSync(join(folder, 'conf', part), 'utf8')]).toEqual([part, expect.not.stringMatching(/@[A-Z_]+@/)]);
  const upstreams = readFileSync(join(folder, 'conf/upstreams.conf'), 'utf8');
  expect(upstreams).toContain('server mail-1:50051 resolve fail_timeout=1s;\n    server mail-2:50051 resolve fail_timeout=1s;');
});

test('a setting may come by file', async () => {
  const file = join(folder, 'drain');
  await promisify(execFile)('sh', ['-c', `echo 7 > ${file}`]);
  await render({ EDGE_DRAIN_SECONDS_FILE: file });
  expect(readFileSync(join(folder, 'conf/nginx.conf'), 'utf8')).toContain('worker_shutdown_timeout 7s;');
});

test('TLS 1.2 is refused by default, and taken on TCP where it is set', async () => {
  const shakes = async (edge: TestEdge): Promise<boolean> => {
    const args = [
      '-connect',
      `127.0.0.1:${edge.port}`,
      '-servername',
      'localhost',
      '-CAfile',
      edge.caFile,
      '-verify_return_error',
      '-tls1_2',
    ];
    const shaking = promisify(execFile)('openssl', ['s_client', ...args], { env: edge.tools, timeout: 10_000 });
    shaking.child.stdin!.end();
    return shaking.then(
      ({ stdout }) => stdout.includes('Protocol: TLSv1.2'),
      () => false,
    );
  };
  for (const [settings, expected] of [
    [{}, false],
    [{ EDGE_TLS_MIN_VERSION: '1.2' }, true],
  ] as const) {
    const edge = await TestEdge.start({}, settings);
    try {
      expect(await shakes(edge)).toBe(expected);
    } finally {
      await edge.remove();
    }
  }
});
