import { FRAME, encodeFrame, encodeFrameHeader, readFrames } from '../http3/frames';
import { decodeFieldSection, encodeFieldSection, type FieldLine } from '../http3/qpack';
import type { QuicConnection } from '../http3/quic-connection';
import { encodeVarint } from '../http3/varint';
import { Http3Wire } from './http3.wire';
import { openQuic } from './raw.clients';
import { RecordingUpstreams } from './recording-upstreams';

const running = RecordingUpstreams.forSuite();

let quic: QuicConnection;
beforeEach(async () => {
  running.upstreams.take();
  quic = await openQuic(running.edge);
});
afterEach(async () => {
  quic.close();
  const wire = await Http3Wire.open(running.edge);
  expect(await wire.rest({ method: 'GET', path: '/api/v1/x' })).toMatchObject({ status: 200 });
  await wire.close();
});

const NOTHING = Buffer.alloc(0);
const headers = (method = 'GET', ...more: FieldLine[]): Buffer =>
  encodeFrame(
    FRAME.HEADERS,
    encodeFieldSection([[':method', method], [':scheme', 'https'], [':authority', 'localhost'], [':path', '/api/v1/x'], ...more]),
  );
const data = (bytes: string): Buffer => encodeFrame(FRAME.DATA, Buffer.from(bytes));
const trailers = encodeFrame(FRAME.HEADERS, encodeFieldSection([['x-trailer', '1']]));
const section = (hex: string): Buffer => encodeFrame(FRAME.HEADERS, Buffer.from(hex, 'hex'));

/** The status that a request is answered with. @throws Http3Error how its stream, or the connection, ended */
async function ask(...frames: Buffer[]): Promise<number> {
  const stream = await quic.open('bidirectional');
  const sent = stream.write(Buffer.concat(frames), true);
  // The edge may want no more of it, and answer.
  sent.catch(() => undefined);
  for await (const { type, payload } of readFrames(stream.read())) {
    if (type === FRAME.HEADERS) return Number(decodeFieldSection(payload).find(([name]) => name === ':status')![1]);
  }
  throw new Error('no answer');
}

test.each([
  ['DATA before HEADERS', [data('x'), headers()], 'H3_FRAME_UNEXPECTED'],
  ['SETTINGS', [encodeFrame(FRAME.SETTINGS, NOTHING), headers()], 'H3_FRAME_UNEXPECTED'],
  ['GOAWAY', [encodeFrame(FRAME.GOAWAY, Buffer.of(0)), headers()], 'H3_FRAME_UNEXPECTED'],
  ['PUSH_PROMISE', [encodeFrame(FRAME.PUSH_PROMISE, Buffer.of(0)), headers()], 'H3_FRAME_UNEXPECTED'],
  ...[0x2, 0x6, 0x8, 0x9].map((type): [string, Buffer[], string] => [
    `frame ${type} of HTTP/2`,
    [encodeFrame(type, Buffer.alloc(4)), headers()],
    'H3_FRAME_UNEXPECTED',
  ]),
  ['half a HEADERS frame', [headers().subarray(0, 10)], 'H3_INTERNAL_ERROR'],
  ['half a DATA frame', [headers('POST'), encodeFrameHeader(FRAME.DATA, 100), Buffer.alloc(10)], 'H3_INTERNAL_ERROR'],
  ['nothing', [NOTHING], 'H3_INTERNAL_ERROR'],
  ['a field section without fields', [section('0000')], 'H3_FRAME_ERROR'],
  ['a field beyond the static table', [section('0000ff8001')], 'QPACK_DECOMPRESSION_FAILED'],
  ['a field of 2^40 bytes', [section('00002fffffffffffff7f')], 'H3_EXCESSIVE_LOAD'],
  ['a field section of 0xff', [section('ff'.repeat(60))], 'H3_EXCESSIVE_LOAD'],
  ['HEADERS of 1 GiB', [encodeFrameHeader(FRAME.HEADERS, 2 ** 30 - 1), Buffer.alloc(70_000)], 'QPACK_DECOMPRESSION_FAILED'],
])('on the stream of a request %s resets it, and the connection goes on', async (_what, frames, code) => {
  await expect(ask(...frames)).rejects.toThrow(code);
  expect(running.upstreams.take()).toEqual([]);
  expect(await ask(headers())).toBe(200);
});

test.each<[what: string, frames: Buffer[], status: number, passed: string[]]>([
  ['unknown frames are left out', [encodeFrame(0x21, Buffer.alloc(100_000)), headers()], 200, ['GET /api/v1/x']],
  ['trailers are left out', [headers('POST'), data('x'), trailers], 200, ['POST /api/v1/x']],
  ['a name in upper case', [headers('GET', ['X-Upper', '1'])], 400, []],
  ['a name with CR and LF', [headers('GET', ['x-a\r\nx-b', '1'])], 400, []],
  ['a name with a colon', [headers('GET', ['x-a: b', '1'])], 400, []],
  ['two paths', [headers('GET', [':path', '/metrics'])], 400, []],
  ['an unknown pseudo-header', [headers('GET', [':x', '1'])], 400, []],
  ['a pseudo-header behind others', [headers('GET', ['x-a', '1'], [':path', '/metrics'])], 400, []],
  ['a length that is too short', [headers('POST', ['content-length', '3']), data('hello')], 400, []],
  ['a length that is too long', [headers('POST', ['content-length', '10']), data('hello')], 400, []],
  ['two lengths', [headers('POST', ['content-length', '5'], ['content-length', '6']), data('hello')], 400, []],
  ['CONNECT', [headers('CONNECT')], 400, []],
  ['no pseudo-headers', [encodeFrame(FRAME.HEADERS, encodeFieldSection([['x-a', '1']]))], 400, []],
  [
    'a transfer encoding is a header like others',
    [headers('POST', ['transfer-encoding', 'chunked']), data('0\r\n\r\nGET /api/v1/smuggled HTTP/1.1\r\nHost: a\r\n\r\n')],
    200,
    ['POST /api/v1/x'],
  ],
])('%s', async (_what, frames, status, passed) => {
  expect(await ask(...frames)).toBe(status);
  expect(running.upstreams.take().map(({ line }) => line)).toEqual(passed);
});

const control = (...frames: Buffer[]): Buffer => Buffer.concat([encodeVarint(0), ...frames]);
const settings = encodeFrame(FRAME.SETTINGS, NOTHING);

test.each<[what: string, streams: Buffer[], code: string]>([
  ['a control stream without SETTINGS', [control(data('x'))], 'H3_MISSING_SETTINGS'],
  ['a control stream of 0xff', [control(Buffer.alloc(100, 0xff))], 'H3_MISSING_SETTINGS'],
  ['SETTINGS of 0xff', [control(encodeFrame(FRAME.SETTINGS, Buffer.alloc(3, 0xff)))], 'H3_SETTINGS_ERROR'],
  ['SETTINGS twice', [control(settings, settings)], 'H3_FRAME_UNEXPECTED'],
  ['HEADERS on the control stream', [control(settings, headers())], 'H3_FRAME_UNEXPECTED'],
  ['CANCEL_PUSH without a push', [control(settings, encodeFrame(FRAME.CANCEL_PUSH, Buffer.of(3)))], 'H3_ID_ERROR'],
  ['two control streams', [control(settings), control(settings)], 'H3_STREAM_CREATION_ERROR'],
  ['a push stream of a client', [Buffer.of(1, 0)], 'H3_STREAM_CREATION_ERROR'],
  ['two QPACK encoder streams', [Buffer.of(2), Buffer.of(2)], 'H3_STREAM_CREATION_ERROR'],
  ['a QPACK encoder stream of 0xff', [Buffer.concat([Buffer.of(2), Buffer.alloc(100, 0xff)])], 'H3_EXCESSIVE_LOAD'],
  ['a dynamic table over the bound', [Buffer.from('023fffffff7f', 'hex')], 'QPACK_ENCODER_STREAM_ERROR'],
  ['a QPACK decoder stream that confirms nothing', [Buffer.from('0300', 'hex')], 'QPACK_DECODER_STREAM_ERROR'],
])('%s ends the connection', async (_what, streams, code) => {
  for (const bytes of streams) {
    const stream = await quic.open('unidirectional');
    await stream.write(bytes);
  }
  expect(await quic.ended).toMatchObject({ kind: 'closed', message: expect.stringContaining(code) });
});

test('a control stream that is closed ends the connection', async () => {
  const stream = await quic.open('unidirectional');
  await stream.write(control(settings), true);
  expect(await quic.ended).toMatchObject({ kind: 'closed', message: expect.stringContaining('H3_CLOSED_CRITICAL_STREAM') });
});
