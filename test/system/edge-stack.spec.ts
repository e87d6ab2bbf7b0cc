import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { processIdentity } from '../../tools/stack/process-identity';
import { eventually } from '../eventually';
import { TestStack } from '../stack';
import { curlPath, describeWith, goExamplePath } from './provisioned';

const run = promisify(execFile);
const EXAMPLE = resolve(__dirname, '../../examples/curl/http3.sh');
const EDGE = { SGE_EDGE: 'on' };

/** Of nginx: its master's children. */
const workersOf = (pid: number): number[] => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

describeWith(
  'nginx',
  'curl-http3',
  'go-http3',
)('the embedded stack with its edge', () => {
  let stack: TestStack;
  let ca: string;

  beforeAll(async () => {
    stack = await TestStack.started(EDGE);
    ca = join(stack.dataFolder, 'edge', 'tls', 'ca.pem');
  }, 90_000);

  afterAll(() => stack.remove(), 60_000);

  const edgeUrl = (): string => stack.description.urls.edge ?? '';
  const edgePid = (): number => stack.description.pids.edge ?? 0;

  /** What curl writes of an answer, such as `3 200`: the version of HTTP, and the status. */
  async function curl(...args: string[]): Promise<string> {
    const { stdout } = await run(curlPath, [
      '-sS',
      '--max-time',
      '10',
      '--cacert',
      ca,
      '-o',
      '/dev/null',
      '-w',
      '%{http_version} %{response_code}',
      ...args,
    ]);
    return stdout;
  }

  const exampleWith = (caFile: string) =>
    run(EXAMPLE, [], {
      env: { ...process.env, CURL: curlPath, SGE_TOKEN: stack.description.token, SGE_EDGE_URL: edgeUrl(), SGE_CA: caFile },
    });

  test('says where it is, and by which CA it is believed', async () => {
    const { urls, ports, pids } = stack.description;
    expect(urls.edge).toBe(`https://localhost:${ports.edge}`);
    expect(processIdentity(pids.edge ?? 0)).toBeDefined();
    // Written after the line by which a start is awaited.
    await eventually(
      () => stack.shown,
      (shown) => shown.includes(`  HTTP/3  ${urls.edge}, REST and gRPC (CA: ${ca})\n`),
    );
    expect(await curl('--http3-only', `${urls.edge}/health/ready`)).toBe('3 200');
  });

  test('the example with curl speaks REST and gRPC over HTTP/3', async () => {
    const { stdout } = await exampleWith(ca);
    expect(stdout).toMatch(/HTTP\/3 200: GET \/api\/v1\/mail/);
    expect(stdout).toMatch(/HTTP\/3 200: grpc\.health\.v1\.Health\/Check.*\n *grpc-status: 0\n/);
    expect(stdout).toMatch(/HTTP\/3 200: sky_genesis\.MailService\/ListEmails.*\n *grpc-status: 0\n/);
  });

  test('and ends with an error where the CA is another one', async () => {
    await expect(exampleWith('/etc/ssl/certs/ca-certificates.crt')).rejects.toMatchObject({
      code: 60,
      stderr: expect.stringContaining('SSL'),
    });
  });

  test('the example in Go sends a mail over HTTP/3, sees it sent, and finds it', async () => {
    const env = { SGE_TOKEN: stack.description.token, SGE_EDGE_URL: edgeUrl(), SGE_CA: ca };
    const { stdout } = await run(goExamplePath, [], { env });
    expect(stdout).toMatch(
      /^HTTP\/3\.0 200 OK \/sky_genesis\.MailService\/SubmitEmail\n {4}trailers: grpc-status 0\n {4}msg_\S+ is queued$/m,
    );
    expect(stdout).toMatch(/^ {4}email\.sent /m);
    expect(stdout).toMatch(/^ {4}found msg_\S+: "Hello"$/m);
    const [, id = ''] = /(msg_\S+) is queued/.exec(stdout) ?? [];
    expect(await stack.received(id)).toContain('This came over HTTP/3.');
  });

  test('a client that comes by HTTP/2 is told of HTTP/3, and takes it the next time', async () => {
    const remembered = join(stack.dataFolder, 'alt-svc');
    const call = () => curl('--alt-svc', remembered, `${edgeUrl()}/health/ready`);
    expect(await call()).toBe('2 200');
    expect(await call()).toBe('3 200');
  });

  test('an edge that is killed leaves no workers, and is started again on its port', async () => {
    const [url, pid] = [edgeUrl(), edgePid()];
    const workers = workersOf(pid);
    expect(workers).not.toEqual([]);
    process.kill(pid, 'SIGKILL');
    await eventually(edgePid, (now) => now !== pid);
    expect(stack.shown).toMatch(/edge ended \(SIGKILL\)/);
    expect(edgeUrl()).toBe(url);
    expect(await curl('--http3-only', `${url}/health/ready`)).toBe('3 200');
    expect(workers.map(processIdentity).filter(Boolean)).toEqual([]);
    // It stays: nobody holds its port.
    expect(processIdentity(edgePid())).toBeDefined();
  });

  test('a stack that is killed leaves no edge, and is started again with one', async () => {
    const pid = edgePid();
    const all = [pid, ...workersOf(pid)];
    await stack.end('SIGKILL');
    await eventually(
      () => all.filter((each) => processIdentity(each) !== undefined),
      (left) => left.length === 0,
    );
    await stack.start();
    expect(await curl('--http3-only', `${edgeUrl()}/health/ready`)).toBe('3 200');
  }, 90_000);

  test('and ends with it in order', async () => {
    const pid = edgePid();
    const all = [pid, ...workersOf(pid)];
    expect(await stack.end()).toBe(0);
    expect(all.map(processIdentity).filter(Boolean)).toEqual([]);
  }, 60_000);
});

describe('the port of the edge in use', () => {
  const refused = async (port: number): Promise<string> => {
    const stack = new TestStack({ ...EDGE, SGE_EDGE_PORT: String(port) });
    try {
      await expect(stack.start()).rejects.toThrow();
      return stack.shown;
    } finally {
      await stack.remove();
    }
  };

  test('on TCP is told as of any other port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    expect(await refused(port)).toBe(`Port ${port} is in use. Set SGE_EDGE_PORT to another one (0: any free port).\n`);
    other.close();
  });

  test('on UDP alone is told before anything starts, too', async () => {
    const other = createSocket('udp4').bind(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address();
    expect(await refused(port)).toBe(`Port ${port} (UDP) is in use. Set SGE_EDGE_PORT to another one (0: any free port).\n`);
    other.close();
  });
});
