import { text } from 'node:stream/consumers';
import { openTls } from './raw.clients';
import { RecordingUpstreams } from './recording-upstreams';

const running = RecordingUpstreams.forSuite();

const HOST = 'Host: localhost\r\n';
/** Comes behind each request on the same connection: what is left of a body must not become a part of it, or a request of its own. */
const NEXT = 'GET /api/v1/next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';

/** What the edge answered until it closed the connection, and what came out of it. */
async function ask(request: string): Promise<{ statuses: number[]; codes: string[]; passed: string[] }> {
  const socket = await openTls(running.edge);
  socket.write(request + NEXT, 'latin1');
  const answers = await text(socket);
  return {
    statuses: [...answers.matchAll(/HTTP\/1\.[01] (\d+)/g)].map(([, status]) => Number(status)),
    codes: [...answers.matchAll(/"code":"(\w+)"/g)].map(([, code]) => code!),
    passed: running.upstreams.take().map(({ line, body }) => (body === '' ? line : `${line} ${body}`)),
  };
}

const post = (headers: string, body: string): string => `POST /api/v1/x HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;
const get = (target: string, headers = HOST): string => `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const chunked = 'Transfer-Encoding: chunked\r\n';

test.each([
  ['two lengths', post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!')],
  ['the same length twice', post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  ['a list of lengths', post('Content-Length: 5, 5\r\n', 'hello')],
  ['a length below 0', post('Content-Length: -5\r\n', 'hello')],
  ['a length with a sign', post('Content-Length: +5\r\n', 'hello')],
  ['a length in hex', post('Content-Length: 0x5\r\n', 'hello')],
  ['a length of 20 digits', post('Content-Length: 99999999999999999999\r\n', 'hello')],
  ['a length, then chunked (CL.TE)', post(`Content-Length: 6\r\n${chunked}`, '0\r\n\r\nG')],
  ['chunked, then a length (TE.CL)', post(`${chunked}Content-Length: 4\r\n`, '5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n')],
  ['two transfer encodings', post(`${chunked}Transfer-Encoding: identity\r\n`, '0\r\n\r\n')],
  ['a list of transfer encodings', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  ['an unknown transfer encoding', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  ['a transfer encoding behind a tab', post('Transfer-Encoding:\tchunked\r\n', '0\r\n\r\n')],
  ['a transfer encoding behind a control character', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['a transfer encoding on a line that goes on', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n')],
  ['a space before the colon', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
  ['chunked in HTTP/1.0', `POST /api/v1/x HTTP/1.0\r\n${HOST}${chunked}\r\n0\r\n\r\n`],
  ['a chunk size that is none', post(chunked, 'zz\r\nhello\r\n0\r\n\r\n')],
  ['a chunk size of 17 digits', post(chunked, 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n')],
  ['CONNECT', `CONNECT localhost:22 HTTP/1.1\r\n${HOST}\r\n`],
  ['TRACE', `TRACE /api/v1/x HTTP/1.1\r\n${HOST}\r\n`],
  ['OPTIONS *', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`],
  ['a target without a slash', get('api/v1/x')],
  ['a target with a space', get('/api/v1/x y')],
  ['a target with NUL', get('/api/v1/x\0y')],
  ['a target with %00', get('/api/v1/x%00y')],
  ['a target above the root', get('/api/../../metrics')],
  ['no request', 'GARBAGE\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['HTTP/2 by name', `GET /api/v1/x HTTP/2.0\r\n${HOST}\r\n`],
  ['no Host', get('/api/v1/x', '')],
  ['two Hosts', get('/api/v1/x', `${HOST}Host: other.example\r\n`)],
  ['a Host with a space', get('/api/v1/x', 'Host: a b\r\n')],
  ['a Host with a path', get('/api/v1/x', 'Host: a/../b\r\n')],
  ['a header that goes on in the next line', get('/api/v1/x', `${HOST}X-A: a\r\n b\r\n`)],
  ['a header with NUL', get('/api/v1/x', `${HOST}X-A: a\0b\r\n`)],
  ['a header with CR', get('/api/v1/x', `${HOST}X-A: a\rX-B: b\r\n`)],
  ['a header behind a space', get('/api/v1/x', `${HOST} X-A: b\r\n`)],
  ['a method of odd characters', `G@T /api/v1/x HTTP/1.1\r\n${HOST}\r\n`],
])('%s: 400, and nothing is passed on', async (_what, request) => {
  expect(await ask(request)).toEqual({ statuses: [400], codes: ['MALFORMED_REQUEST'], passed: [] });
});

test.each([
  ['a field of 60 KB', get('/health/ready', `${HOST}X-A: ${'x'.repeat(60_000)}\r\n`)],
  ['fields of 250 KB together', get('/health/ready', HOST + `X-A: ${'x'.repeat(25_000)}\r\n`.repeat(10))],
  ['3,000 fields', get('/health/ready', HOST + 'X-A: x\r\n'.repeat(3000))],
  ['a target of 60 KB', get(`/api/v1/${'x'.repeat(60_000)}`)],
])('%s: 431, and nothing is passed on', async (_what, request) => {
  expect(await ask(request)).toEqual({ statuses: [431], codes: ['METADATA_TOO_LARGE'], passed: [] });
});

test.each<[what: string, request: string, passed: string, statuses?: number[]]>([
  ['chunks with extensions', post(chunked, '5;a=b\r\nhello\r\n0\r\n\r\n'), 'POST /api/v1/x hello'],
  ['chunked in other letters', post('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'), 'POST /api/v1/x hello'],
  ['a transfer encoding with an underscore', post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'), 'POST /api/v1/x hello'],
  ['trailers', post(chunked, '5\r\nhello\r\n0\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n'), 'POST /api/v1/x hello'],
  ['GET with a body', `GET /api/v1/x HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`, 'GET /api/v1/x hello'],
  ['an absolute target', get('http://localhost/api/v1/x'), 'GET /api/v1/x'],
  [
    'an upgrade to h2c',
    get('/api/v1/x', `${HOST}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n`),
    'GET /api/v1/x',
  ],
  ['an upgrade to WebSocket', get('/api/v1/x', `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n`), 'GET /api/v1/x'],
  ['an expectation', post('Expect: 100-continue\r\nContent-Length: 5\r\n', 'hello'), 'POST /api/v1/x hello', [100, 200, 200]],
])('%s: passed on as one plain request, and the next one as another', async (_what, request, passed, statuses = [200, 200]) => {
  expect(await ask(request)).toEqual({ statuses, codes: [], passed: [passed, 'GET /api/v1/next'] });
});
