import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runMigrations } from '@sky-genesis/database';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { FileClient } from '../integration/file-client';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment, token } from '../integration/test-system';

const EXAMPLE = resolve(__dirname, '../../examples/typescript/upload.ts');
const MEBIBYTES = 160;

let folder: string;
let database: TestDatabase;
let environment: Record<string, string>;
let mail: MailProcess;
let example: ExampleProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sge-upload-example-'));
  database = await createDatabase();
  environment = await mailEnvironment(database, new TestRelay(await freePort()), { MAIL_WORKER: 'false' });
  await runMigrations(mailDatabase(readMailConfig(environment)));
  mail = await MailProcess.start(environment);
}, 60_000);
afterAll(async () => {
  await example?.kill();
  await mail?.kill('SIGTERM');
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The example as a person starts it. */
class ExampleProcess {
  told = '';
  private printed = '';
  private readonly child: ChildProcess;

  constructor(file: string, bearer = token()) {
    const args = [EXAMPLE, '--address', mail.grpcUrl, '--token', bearer, file];
    this.child = spawn(process.execPath, args, { env: { PATH: process.env.PATH }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.printed += text));
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.told += text));
  }

  /** What it printed, once it is done. */
  async ended(): Promise<{ code: number | null; printed: string }> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'close');
    return { code: this.child.exitCode, printed: this.printed };
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended();
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }
}

async function write(name: string, mebibytes: number): Promise<{ path: string; hash: string }> {
  const path = join(folder, name);
  const hash = createHash('sha256');
  const out = createWriteStream(path);
  for (let i = 0; i < mebibytes; i++) {
    const piece = randomBytes(2 ** 20);
    hash.update(piece);
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
  return { path, hash: hash.digest('hex') };
}

/** How many bytes of the one upload that there is are stored, once they are more than so many. */
const storedBeyond = async (bytes: number): Promise<number> => {
  const stored = async () => Number((await database.query<{ received: string }>('select received from upload'))[0]?.received ?? 0);
  return eventually(stored, (received) => received > bytes || !example!.isRunning, 60_000);
};

async function hashOf(fileId: string): Promise<{ hash: string; size: number }> {
  const client = new FileClient(mail.grpcUrl);
  const hash = createHash('sha256');
  let size = 0;
  try {
    for await (const { data } of client.open({ fileId }) as AsyncIterable<{ data: Buffer }>) {
      hash.update(data);
      size += data.length;
    }
  } finally {
    client.close();
  }
  return { hash: hash.digest('hex'), size };
}

test('an upload whose program is killed and started again, and then its server, ends with the same file', async () => {
  const { path, hash } = await write('big.bin', MEBIBYTES);
  example = new ExampleProcess(path);
  const first = await storedBeyond(0);
  expect(example.isRunning).toBe(true);
  await example.kill();
  const note = readFileSync(`${path}.upload`, 'utf8');

  example = new ExampleProcess(path);
  const { told } = await eventually(
    () => example!,
    ({ told, isRunning }) => /going on at \d+ of/.test(told) || !isRunning,
  );
  const from = Number(/going on at (\d+) of/.exec(told)?.[1]);
  expect(from).toBeGreaterThanOrEqual(first);
  await storedBeyond(from);
  expect(example.isRunning).toBe(true);
  await mail.kill('SIGKILL');
  mail = await MailProcess.start(environment);

  const { code, printed } = await example.ended();
  expect([code, example.told]).toEqual([0, expect.stringMatching(/ again in .*going on at \d+ of/s)]);
  const fileId = printed.trim();
  expect(note.trim().split('\n').at(-1)).toBe(fileId);
  expect(existsSync(`${path}.upload`)).toBe(false);
  expect(await hashOf(fileId)).toEqual({ hash, size: MEBIBYTES * 2 ** 20 });
}, 120_000);

test('an upload of what the file was before, and one that the server has forgotten, are not gone on with', async () => {
  const path = join(folder, 'changed.bin');
  writeFileSync(path, 'what it says now');
  const hash = createHash('sha256').update('what it says now').digest('hex');
  const now = { size: 16, modified: statSync(path).mtime, address: mail.grpcUrl };
  for (const noted of [{ ...now, size: 1 }, now]) {
    writeFileSync(`${path}.upload`, `${JSON.stringify(noted)}\nfile_0199f3a0-0000-7000-8000-000000000000\n`);
    example = new ExampleProcess(path);
    const { code, printed } = await example.ended();
    expect([code, example.told]).toEqual([0, '']);
    expect(await hashOf(printed.trim())).toEqual({ hash, size: 16 });
  }
});

test('an empty file is a file', async () => {
  const { path } = await write('empty.bin', 0);
  example = new ExampleProcess(path);
  const { printed } = await example.ended();
  expect(await hashOf(printed.trim())).toMatchObject({ size: 0 });
});

test('what cannot go on by itself is told in a line', async () => {
  const { path } = await write('refused.bin', 1);
  for (const [bearer, line] of [
    [token({ scope: 'mail.read' }), /^The server refuses: .*files\.write.* \(PERMISSION_DENIED\)\n$/],
    ['no token', /^The token is not valid, or no longer .* what arrived is kept\.\n$/],
  ] as const) {
    example = new ExampleProcess(path, bearer);
    expect(await example.ended()).toEqual({ code: 1, printed: '' });
    expect(example.told).toMatch(line);
  }
});
