import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type MethodDefinition, status } from '@grpc/grpc-js';
import { runMigrations } from '@sky-genesis/database';
import { loadPackage } from '@sky-genesis/proto';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { frame, RawClient } from '../../libs/grpc/src/compression/raw-http2.fixture';
import { freePort } from '../free-port';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment, token } from '../integration/test-system';
import { describeWith, goCompressionPath } from '../system/provisioned';

const MIB = 2 ** 20;
/** As many as would be 400 MiB if what was unpacked of each stayed. */
const BOMBS = 100;
/** Text as people write it, which a repetition would not be. */
const TEXT = readFileSync(resolve(__dirname, '../../README.md'), 'utf8').slice(0, 20_000);

interface Size {
  message: number;
  onWire: number;
}

interface GoAnswer {
  responseBase64: string;
  sent: Size;
  received: Size;
  bytesWritten: number;
  bytesRead: number;
  error?: string;
}

let database: TestDatabase;
let mail: MailProcess;
let address: string;
const authorization = `Bearer ${token()}`;

beforeAll(async () => {
  database = await createDatabase();
  const environment = await mailEnvironment(database, new TestRelay(await freePort()), { MAIL_WORKER: 'false' });
  await runMigrations(mailDatabase(readMailConfig(environment)));
  mail = await MailProcess.start(environment);
  address = mail.grpcUrl;
}, 60_000);
afterAll(async () => {
  await mail?.kill('SIGTERM');
  await database?.drop();
});

const method = (name: string) =>
  (loadPackage() as unknown as Record<string, Record<string, MethodDefinition<object, object>>>)['sky_genesis.MailService']![name]!;

describeWith('go-http3')('a client of grpc-go', () => {
  /** A unary call by test/mesh/go-compression. */
  function call<Response>(name: string, request: object, gzip: boolean): GoAnswer & { response: Response } {
    const { path, requestSerialize, responseDeserialize } = method(name);
    const asked = { address, path, metadata: { authorization }, requestBase64: requestSerialize(request).toString('base64') };
    const [answer] = JSON.parse(
      execFileSync(goCompressionPath, gzip ? ['gzip'] : [], { input: JSON.stringify([asked]), encoding: 'utf8' }),
    ) as [GoAnswer];
    expect(answer.error).toBeUndefined();
    return { ...answer, response: responseDeserialize(Buffer.from(answer.responseBase64, 'base64')) as Response };
  }
  const submit = (gzip: boolean) =>
    call<{ messageId: string }>('SubmitEmail', { email: { to: ['recipient@example.com'], subject: 'Read me', body: TEXT } }, gzip);

  test('sends and reads less than half the bytes of a mail of 20 kB with gzip, and the same mail', () => {
    const plain = submit(false);
    const packed = submit(true);
    const plainRead = call<{ email: { body: string } }>('GetEmail', { id: packed.response.messageId }, false);
    const packedRead = call<{ email: { body: string } }>('GetEmail', { id: packed.response.messageId }, true);
    console.log(
      [
        ['bytes', 'message', 'on the wire', 'of the connection'],
        ['SubmitEmail, request', plain.sent.message, plain.sent.onWire, plain.bytesWritten],
        ['  with gzip', packed.sent.message, packed.sent.onWire, packed.bytesWritten],
        ['GetEmail, answer', plainRead.received.message, plainRead.received.onWire, plainRead.bytesRead],
        ['  with gzip', packedRead.received.message, packedRead.received.onWire, packedRead.bytesRead],
      ]
        .map((cells) => cells.map((cell) => String(cell).padEnd(22)).join(''))
        .join('\n'),
    );
    for (const { response } of [plainRead, packedRead]) expect(response.email.body).toBe(TEXT);
    expect(plain.sent.onWire).toBe(plain.sent.message);
    expect(plainRead.received.onWire).toBe(plainRead.received.message);
    expect(packed.bytesWritten).toBeLessThan(plain.bytesWritten / 2);
    expect(packedRead.bytesRead).toBeLessThan(plainRead.bytesRead / 2);
  });

  test('gets a small answer as it is', () => {
    const { received } = submit(true);
    expect(received.onWire).toBe(received.message);
  });
});

test('a mail process refuses gzip bombs of 64 MiB in 64 KiB, and keeps nothing of them', async () => {
  const memory = (field: 'VmRSS' | 'VmHWM') => {
    const text = readFileSync(join('/proc', String(mail.pid), 'status'), 'utf8');
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 1024;
  };
  const raw = new RawClient(address);
  const send = (bomb: Buffer) => raw.call(method('SubmitEmail').path, { authorization, 'grpc-encoding': 'gzip' }, frame(1, bomb));
  const bomb = gzipSync(Buffer.alloc(64 * MIB), { level: 9 });
  expect(bomb.length).toBeLessThan(65_536);
  // What it takes to refuse one at all is there from now on.
  await send(gzipSync(Buffer.alloc(5 * MIB)));
  const before = memory('VmRSS');
  const growth: number[] = [];
  for (let i = 0; i < BOMBS; i++) {
    const { trailers } = await send(bomb);
    expect(trailers['grpc-status']).toBe(String(status.RESOURCE_EXHAUSTED));
    expect(trailers['grpc-message']).toContain(String(4 * MIB));
    growth.push((memory('VmHWM') - before) / MIB);
  }
  raw.close();
  console.log(`grew by ${growth[0]?.toFixed(0)} MiB with the first, and by ${growth.at(-1)?.toFixed(0)} MiB with ${BOMBS}`);
  // Up to the limit each is unpacked, and is garbage then, which V8 leaves for a while.
  expect(growth[0]).toBeLessThan(16);
  expect(growth.at(-1)).toBeLessThan(128);
}, 60_000);
