import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Upload } from 'tus-js-client';
import { eventually } from '../eventually';
import { TestSystem, token } from './test-system';

const run = promisify(execFile);
const data = randomBytes(5_000_000);
const hex = createHash('sha256').update(data).digest('hex');

let system: TestSystem;
let folder: string;
let path: string;

beforeAll(async () => {
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1' });
  folder = mkdtempSync(join(tmpdir(), 'sge-rest-files-'));
  path = join(folder, 'big file.bin');
  writeFileSync(path, data);
}, 60_000);
afterAll(async () => {
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bearer = () => ({ authorization: `Bearer ${token()}` });
const curl = async (...args: string[]) => (await run('curl', ['-sS', '-H', `authorization: ${bearer().authorization}`, ...args])).stdout;
const whole = async (id: string) =>
  Buffer.from(await (await fetch(`${system.url}/api/v1/files/${id}`, { headers: bearer() })).arrayBuffer());
const upload = async (body: Buffer, query = '', headers: Record<string, string> = {}) => {
  const answer = await fetch(`${system.url}/api/v1/files${query}`, {
    method: 'POST',
    body: new Uint8Array(body),
    headers: { ...bearer(), ...headers },
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Record<string, string> };
};

test('curl -T: a new file each time, by its name', async () => {
  const answer = JSON.parse(await curl('-T', path, `${system.url}/api/v1/files/by-name/`)) as Record<string, unknown>;
  expect(answer).toEqual({ file_id: expect.stringMatching(/^file_/), size: 5_000_000, sha256: hex });
  expect((await whole(String(answer.file_id))).equals(data)).toBe(true);
  const head = await curl('-I', `${system.url}/api/v1/files/${String(answer.file_id)}`);
  expect(head).toMatch(/^HTTP\/1\.1 200/);
  expect(head).toMatch(/content-length: 5000000/i);
  expect(head).toMatch(/content-disposition: attachment; filename="big file\.bin"/i);
  expect(head).toMatch(/x-content-type-options: nosniff/i);
  expect(head.toLowerCase()).toContain(`etag: "${hex}"`);
});

test('curl goes on with a download where it stopped', async () => {
  const { body } = await upload(data);
  const part = join(folder, 'part');
  await curl('-o', part, `${system.url}/api/v1/files/${body.file_id}`);
  truncateSync(part, 1_234_567);
  await curl('-C', '-', '-o', part, `${system.url}/api/v1/files/${body.file_id}`);
  expect(readFileSync(part).equals(data)).toBe(true);
  const ranges = await curl('-r', '0-9,100-109', `${system.url}/api/v1/files/${body.file_id}`, '--output', '-').catch(String);
  expect(ranges).toContain('bytes 100-109/5000000');
});

test('a browser’s form, and curl -F', async () => {
  const form = new FormData();
  form.set('comment', 'what a form has beside');
  form.set('file', new File([new Uint8Array(data)], 'Grüße.pdf', { type: 'application/pdf' }));
  const answer = await fetch(`${system.url}/api/v1/files`, { method: 'POST', body: form, headers: bearer() });
  expect(answer.status).toBe(201);
  const { file_id: id, sha256 } = (await answer.json()) as Record<string, string>;
  expect(sha256).toBe(hex);
  const back = await fetch(`${system.url}/api/v1/files/${id}`, { headers: bearer() });
  expect(back.headers.get('content-type')).toBe('application/pdf');
  expect(back.headers.get('content-disposition')).toContain("filename*=UTF-8''Gr%C3%BC%C3%9Fe.pdf");
  expect(Buffer.from(await back.arrayBuffer()).equals(data)).toBe(true);
  const byCurl = JSON.parse(await curl('-F', `file=@${path}`, `${system.url}/api/v1/files`)) as Record<string, string>;
  expect(byCurl.sha256).toBe(hex);
});

describe('tus-js-client', () => {
  const start = (more: object) =>
    new Promise<Upload>((resolve, reject) => {
      const uploading: Upload = new Upload(data, {
        endpoint: `${system.url}/api/v1/uploads`,
        headers: bearer(),
        metadata: { filename: 'tus.bin', filetype: 'application/x-tus' },
        retryDelays: [0, 50, 100, 200, 500, 1000],
        onSuccess: () => resolve(uploading),
        onError: reject,
        ...more,
      });
      uploading.start();
    });
  const idOf = ({ url }: Upload) => String(url).split('/').at(-1)!;

  test.each([
    ['at once', {}],
    ['in pieces', { chunkSize: 700_000 }],
    ['of a length that is known at the end', { uploadLengthDeferred: true, chunkSize: 900_000 }],
  ])('uploads %s', async (_, options) => {
    expect((await whole(idOf(await start(options)))).equals(data)).toBe(true);
  });

  test('is cut in the middle, and goes on by itself', async () => {
    const gateway = new URL(system.url);
    let cut = 0;
    // Ends a connection once so much of a body has passed.
    const proxy = createServer((near) => {
      const far = connect(Number(gateway.port), gateway.hostname);
      let bytes = 0;
      near.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > 1_500_000 && cut < 3) {
          cut++;
          near.destroy();
          far.destroy();
        }
      });
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => undefined);
      near.on('close', () => far.destroy());
    });
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const { port } = proxy.address() as AddressInfo;
    const done = await start({ endpoint: `http://127.0.0.1:${port}/api/v1/uploads` });
    proxy.close();
    expect(cut).toBe(3);
    expect((await whole(idOf(done))).equals(data)).toBe(true);
  });

  test('is stopped, and goes on later from what arrived', async () => {
    let url: string | null = null;
    await new Promise<void>((resolve, reject) => {
      const first: Upload = new Upload(data, {
        endpoint: `${system.url}/api/v1/uploads`,
        headers: bearer(),
        chunkSize: 500_000,
        onError: reject,
        onChunkComplete: (_size, accepted) => {
          if (accepted < 2_000_000) return;
          ({ url } = first);
          void first.abort().then(resolve, reject);
        },
      });
      first.start();
    });
    const status = await fetch(url!, { method: 'HEAD', headers: { ...bearer(), 'tus-resumable': '1.0.0' } });
    expect(Number(status.headers.get('upload-offset'))).toBeGreaterThanOrEqual(2_000_000);
    expect((await system.rest('GET', `/api/v1/files/${String(url).split('/').at(-1)}`)).status).toBe(404);
    const resumed = await start({ uploadUrl: url });
    expect((await whole(idOf(resumed))).equals(data)).toBe(true);
  });
});

describe('what does not fit leaves nothing', () => {
  const counts = () => system.database.query('select (select count(*) from upload) as uploads, (select count(*) from file) as files');
  test.each<[string, string, Record<string, string>, number, string]>([
    ['a path as a name', '?filename=..%2F..%2Fetc%2Fpasswd', {}, 400, 'filename'],
    ['NUL in a name', '?filename=a%00b', {}, 400, 'filename'],
    ['CRLF in a name', '?filename=a%0D%0AX%3A%20y', {}, 400, 'filename'],
    ['a name of 10,000 characters', `?filename=${'x'.repeat(10_000)}`, {}, 400, 'filename'],
    ['a path in Content-Disposition', '', { 'content-disposition': 'attachment; filename="../../x"' }, 400, 'filename'],
    ['another digest', '', { 'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` }, 400, 'DIGEST_MISMATCH'],
    ['a digest that is none', '', { 'repr-digest': 'sha-256=abc' }, 400, 'Repr-Digest'],
    ['an encoding', '', { 'content-encoding': 'gzip' }, 415, 'content-encoding'],
  ])('%s', async (_, query, headers, status, named) => {
    const before = await counts();
    const answer = await upload(Buffer.from('content'), query, headers);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(named);
    await eventually(counts, (now) => JSON.stringify(now) === JSON.stringify(before));
  });

  test('the right digest is no error', async () => {
    const digest = `sha-256=:${createHash('sha256').update(data).digest('base64')}:`;
    expect((await upload(data, '', { 'content-digest': digest, 'repr-digest': digest })).status).toBe(201);
  });

  test('a length that lies', async () => {
    const before = await counts();
    const socket = connect(Number(new URL(system.url).port), '127.0.0.1');
    socket.write(`POST /api/v1/files HTTP/1.1\r\nhost: x\r\nauthorization: ${bearer().authorization}\r\ncontent-length: 1000\r\n\r\n`);
    socket.end('too few');
    await once(socket.resume(), 'close');
    await eventually(counts, (now) => JSON.stringify(now) === JSON.stringify(before));
  });

  test.each([
    ['bytes=5000000-', 416],
    ['bytes=99999999999999999999-', 416],
    ['bytes=-0', 416],
    ['bytes=5-2', 200],
    ['bytes=a-b', 200],
    ['bytes=0-99999999999999999999', 206],
  ])('range %s', async (range, status) => {
    const { body } = await upload(data);
    const answer = await fetch(`${system.url}/api/v1/files/${body.file_id}`, { headers: { ...bearer(), range } });
    expect(answer.status).toBe(status);
    if (status === 416) expect(answer.headers.get('content-range')).toBe('bytes */5000000');
    await answer.arrayBuffer();
  });

  test('nothing of another tenant is there', async () => {
    const { body } = await upload(data);
    const other = { authorization: `Bearer ${token({ tenant: 'other' })}` };
    for (const [method, url] of [
      ['GET', `files/${body.file_id}`],
      ['HEAD', `files/${body.file_id}`],
      ['DELETE', `files/${body.file_id}`],
      ['HEAD', `uploads/${body.file_id}`],
      ['DELETE', `uploads/${body.file_id}`],
    ]) {
      const answer = await fetch(`${system.url}/api/v1/${url}`, { method: method!, headers: { ...other, 'tus-resumable': '1.0.0' } });
      expect([method, url, answer.status]).toEqual([method, url, 404]);
    }
    expect((await whole(body.file_id!)).equals(data)).toBe(true);
  });

  test('no bytes at all are a file', async () => {
    const { status, body } = await upload(Buffer.alloc(0), '?filename=empty');
    expect([status, body.size]).toEqual([201, 0]);
    const answer = await fetch(`${system.url}/api/v1/files/${body.file_id}`, { headers: bearer() });
    expect([answer.status, answer.headers.get('content-length'), (await answer.arrayBuffer()).byteLength]).toEqual([200, '0', 0]);
  });
});
