import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RuleError } from '@sky-genesis/grpc';
import { eventually } from '../../../../test/eventually';
import { curl } from '../../testing/curl.client';
import { sha256Of } from '../../testing/fake-files.service';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const MEGABYTE = 1_048_576;
const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(2 * MEGABYTE + 5);
const etag = `"${sha256Of(content)}"`;
let path: string;
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => {
  files.reset();
  path = `/api/v1/files/${files.put(content, { filename: 'ü.pdf', contentType: 'application/pdf' }).fileId}`;
});

async function get(headers: Record<string, string> = {}, method = 'GET', from = path) {
  const response = await fetch(`${fixture.url}${from}`, { method, headers: { authorization: `Bearer ${tokenFor()}`, ...headers } });
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}
const problemOf = ({ body }: { body: Buffer }) => JSON.parse(body.toString()) as { code: string };

describe('a file', () => {
  test('comes whole, as it was declared, to be saved', async () => {
    const { status, headers, body } = await get();
    expect([status, body.equals(content)]).toEqual([200, true]);
    expect(Object.fromEntries(headers)).toMatchObject({
      etag,
      'content-length': String(content.length),
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="?.pdf"; filename*=UTF-8''%C3%BC.pdf`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
  });

  test('is told of by HEAD without its bytes, whatever range is asked for', async () => {
    const { status, headers, body } = await get({ range: 'bytes=0-1' }, 'HEAD');
    expect([status, headers.get('content-length'), headers.get('etag'), body.length]).toEqual([200, String(content.length), etag, 0]);
    expect(files.sentBytes).toBe(0);
  });

  test('of no bytes is 200 and empty', async () => {
    const { fileId } = files.put(Buffer.alloc(0));
    const { status, headers, body } = await get({}, 'GET', `/api/v1/files/${fileId}`);
    expect([status, headers.get('content-length'), headers.get('content-disposition'), body.length]).toEqual([200, '0', 'attachment', 0]);
    expect((await get({ range: 'bytes=0-' }, 'GET', `/api/v1/files/${fileId}`)).headers.get('content-range')).toBe('bytes */0');
  });

  test('whose type no header can say comes as bytes', async () => {
    const { fileId } = files.put(content, { contentType: 'te\r\nxt/ü' });
    expect((await get({}, 'GET', `/api/v1/files/${fileId}`)).headers.get('content-type')).toBe('application/octet-stream');
  });

  test.each(['GET', 'HEAD'])('that is not there is 404 to %s', async (method) => {
    expect((await get({}, method, '/api/v1/files/file_1')).status).toBe(404);
  });

  test('needs its scope', async () => {
    const answer = await get({ authorization: `Bearer ${tokenFor('files.write')}` });
    expect([answer.status, problemOf(answer).code]).toEqual([403, 'SCOPE_MISSING']);
  });
});

describe('a range', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=5-', 5, content.length - 1],
    ['bytes=-7', content.length - 7, content.length - 1],
    ['bytes=100-99999999999', 100, content.length - 1],
    ['Bytes=1-2, 3-5', 1, 5],
    ['bytes=0-1,99999999-', 0, 1],
  ])('%s is what is sent', async (range, start, end) => {
    const { status, headers, body } = await get({ range });
    expect([status, headers.get('content-range')]).toEqual([206, `bytes ${start}-${end}/${content.length}`]);
    expect([headers.get('content-length'), headers.get('content-type')]).toEqual([String(end - start + 1), 'application/pdf']);
    expect(body.equals(content.subarray(start, end + 1))).toBe(true);
  });

  test.each(['bytes=', 'bytes=x', 'bytes=5-1', 'lines=1-2', 'bytes', 'bytes=1-2,x'])('%s is as none', async (range) => {
    const { status, body } = await get({ range });
    expect([status, body.length]).toEqual([200, content.length]);
  });

  test.each(['bytes=99999999-', 'bytes=-0', `bytes=${Array.from({ length: 17 }, (_, at) => `${at * 10}-${at * 10}`).join()}`])(
    '%s is 416, and the size is told',
    async (range) => {
      const answer = await get({ range });
      expect([answer.status, problemOf(answer).code]).toEqual([416, 'RANGE_NOT_SATISFIABLE']);
      expect([answer.headers.get('content-range'), answer.headers.get('etag')]).toEqual([`bytes */${content.length}`, null]);
    },
  );

  test('beside others is a part of the answer', async () => {
    const { status, headers, body } = await get({ range: 'bytes=10-19,-3,0-4' });
    const boundary = /^multipart\/byteranges; boundary=(.+)$/.exec(headers.get('content-type') ?? '')?.[1];
    const part = (start: number, end: number) => [
      Buffer.from(`--${boundary}\r\nContent-Type: application/pdf\r\nContent-Range: bytes ${start}-${end}/${content.length}\r\n\r\n`),
      content.subarray(start, end + 1),
      Buffer.from('\r\n'),
    ];
    const whole = Buffer.concat([
      ...part(10, 19),
      ...part(content.length - 3, content.length - 1),
      ...part(0, 4),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
    expect([status, body.toString('latin1')]).toEqual([206, whole.toString('latin1')]);
    expect(headers.get('content-length')).toBe(String(whole.length));
  });

  test.each([
    ['is that of the file', etag, 206],
    ['is another', '"x"', 200],
    ['is weak', `W/${etag}`, 200],
    ['is a date', 'Wed, 21 Oct 2015 07:28:00 GMT', 200],
  ])('holds only where If-Range %s', async (_, ifRange, status) => {
    expect((await get({ range: 'bytes=0-1', 'if-range': ifRange })).status).toBe(status);
  });
});

test.each([
  [etag, 304],
  [`"x", W/${etag}`, 304],
  ['*', 304],
  ['"x"', 200],
])('If-None-Match: %s is answered with %i', async (tags, expected) => {
  const { status, headers, body } = await get({ 'if-none-match': tags });
  expect([status, headers.get('etag'), headers.get('cache-control')]).toEqual([expected, etag, 'private, no-cache']);
  expect(body.length).toBe(expected === 304 ? 0 : content.length);
});

describe('an attachment', () => {
  beforeEach(() => files.attachments.set('msg_1/2', files.put(content, { filename: 'a.pdf', contentType: 'application/pdf' })));

  test('comes as a file does', async () => {
    const from = '/api/v1/mail/msg_1/attachments/2';
    const whole = await get({}, 'GET', from);
    expect([whole.status, whole.body.equals(content), whole.headers.get('etag')]).toEqual([200, true, etag]);
    expect((await get({ range: 'bytes=1-3' }, 'GET', from)).body.equals(content.subarray(1, 4))).toBe(true);
    expect((await get({}, 'HEAD', from)).headers.get('content-length')).toBe(String(content.length));
  });

  test.each([
    ['9', 404, 'ATTACHMENT_NOT_FOUND'],
    ['x', 400, 'INVALID_ARGUMENT'],
    ['-1', 400, 'INVALID_ARGUMENT'],
    ['99999999999', 400, 'INVALID_ARGUMENT'],
  ])('%s is %i %s', async (n, status, code) => {
    const answer = await get({}, 'GET', `/api/v1/mail/msg_1/attachments/${n}`);
    expect([answer.status, problemOf(answer).code]).toEqual([status, code]);
  });
});

/** The answer to a GET whose body is read when a test wants to. */
async function open(from = path): Promise<IncomingMessage> {
  const asked = request(`${fixture.url}${from}`, { headers: { authorization: `Bearer ${tokenFor()}` } });
  asked.on('error', () => undefined);
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

describe('what goes wrong', () => {
  test('before the first byte is a problem', async () => {
    files.beforeSend = () => {
      throw new RuleError('STORE_UNAVAILABLE');
    };
    const answer = await get();
    expect([answer.status, problemOf(answer).code, answer.headers.get('etag')]).toEqual([503, 'STORE_UNAVAILABLE', null]);
  });

  test.each(['whole', 'in ranges'])('later ends the connection of a file that comes %s', async (how) => {
    files.beforeSend = (sent) => {
      if (sent > MEGABYTE) throw new RuleError('STORE_UNAVAILABLE');
    };
    const headers: Record<string, string> = how === 'whole' ? {} : { range: 'bytes=0-1,10-' };
    await expect(get(headers)).rejects.toThrow();
  });

  test('a stream that ends too early is not taken for the whole file', async () => {
    files.endAfter = MEGABYTE;
    await expect(get()).rejects.toThrow();
  });

  test('a client that goes away cancels the call', async () => {
    const big = files.put(Buffer.alloc(64 * MEGABYTE));
    const response = await open(`/api/v1/files/${big.fileId}`);
    response.destroy();
    await files.last.cancelled;
    expect(files.sentBytes).toBeLessThan(64 * MEGABYTE);
  });
});

test('a reader that is slow holds back the service', async () => {
  const big = files.put(Buffer.alloc(96 * MEGABYTE));
  const response = await open(`/api/v1/files/${big.fileId}`);
  let before = -1;
  // What sockets and windows hold is full when nothing more is sent for a while.
  while (before !== files.sentBytes) {
    before = files.sentBytes;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(before).toBeLessThan(16 * MEGABYTE);
  let received = 0;
  for await (const chunk of response) received += (chunk as Buffer).length;
  expect(received).toBe(96 * MEGABYTE);
});

describe('curl', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'downloads-'))));
  afterAll(() => rm(folder, { recursive: true }));

  test('-C - goes on where it was', async () => {
    const partial = join(folder, 'partial');
    await writeFile(partial, content.subarray(0, MEGABYTE));
    const { status } = await curl('-C', '-', '-o', partial, `${fixture.url}${path}`);
    expect([status, (await readFile(partial)).equals(content)]).toEqual([206, true]);
    expect(files.sentBytes).toBe(content.length - MEGABYTE);
  });

  test('-r asks for many ranges, and -OJ saves under the name of the file', async () => {
    const { status, body } = await curl('-r', '0-1,4-5', `${fixture.url}${path}`);
    expect([status, body.match(/Content-Range: bytes \S+/g)]).toEqual([
      206,
      [`Content-Range: bytes 0-1/${content.length}`, `Content-Range: bytes 4-5/${content.length}`],
    ]);
    const { fileId } = files.put(content, { filename: 'plain.bin' });
    await curl('-OJ', '--output-dir', folder, `${fixture.url}/api/v1/files/${fileId}`);
    await eventually(
      () => readFile(join(folder, 'plain.bin')),
      (bytes) => bytes.equals(content),
    );
  });
});
