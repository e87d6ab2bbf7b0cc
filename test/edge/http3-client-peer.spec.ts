import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { eventually } from '../eventually';
import { encodeFrame, encodeFrameHeader, FRAME } from '../http3/frames';
import { Http3Connection } from '../http3/http3-connection';
import { H3, Http3Error } from '../http3/http3-error';
import type { QuicOptions } from '../http3/quic-connection';
import { CONTROL_ID, headers, ScriptedHttp3Server, SETTINGS } from './scripted-http3-server';
import { makeCertificates, type TestCertificates } from './test-certificates';

const REQUEST = { method: 'GET', path: '/', authority: 'localhost' };
const OK = headers([':status', '200']);
/** quiche.Shutdown. */
const [READ, WRITE] = [0, 1] as const;
const data = (body: string) => encodeFrame(FRAME.DATA, Buffer.from(body));

describe('the HTTP/3 client, and what a server may do, or may not', () => {
  let folder: string;
  let certificates: TestCertificates;
  let server: ScriptedHttp3Server;
  let connection: Http3Connection;

  const start = async (maxRequests?: number) => {
    server = await ScriptedHttp3Server.started(certificates, maxRequests);
  };
  const open = async (options: Partial<QuicOptions> = {}) => {
    const to = { host: '127.0.0.1', port: server.port, serverName: 'localhost', ca: certificates.ca };
    connection = await Http3Connection.open({ ...to, ...options });
    return connection;
  };
  const answer = (...parts: Buffer[]) => {
    server.onRequest = (quiche, id) => void quiche.streamSend(id, Buffer.concat(parts), true);
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sge-http3-peer-'));
    certificates = makeCertificates(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(() => start());
  afterEach(() => {
    connection?.close();
    server.close();
  });

  test('responses of 1xx come before the response, the trailers behind it', async () => {
    const hints = headers([':status', '103'], ['link', '</a.css>']);
    answer(headers([':status', '100']), hints, OK, data('one'), data(''), encodeFrame(0x21, Buffer.alloc(9)), data('two'), headers(['x-late', 'yes'])); // prettier-ignore
    const stream = (await open()).request(REQUEST);
    expect((await stream.response).informational).toEqual([
      { status: 100, headers: {} },
      { status: 103, headers: { link: '</a.css>' } },
    ]);
    expect(await text(stream.body)).toBe('onetwo');
    expect(await stream.trailers).toEqual({ 'x-late': 'yes' });
  });

  test.each<[string, Buffer[], number]>([
    ['DATA before HEADERS', [data('x'), OK], H3.FRAME_UNEXPECTED],
    ['a frame of the control stream', [OK, encodeFrame(FRAME.SETTINGS, Buffer.alloc(0))], H3.FRAME_UNEXPECTED],
    ['DATA behind the trailers', [OK, data('x'), headers(['x-late', 'yes']), data('y')], H3.FRAME_UNEXPECTED],
    ['a frame that the end cuts', [OK, encodeFrameHeader(FRAME.DATA, 9), Buffer.from('x')], H3.FRAME_ERROR],
    ['fields that are none', [encodeFrame(FRAME.HEADERS, Buffer.of(0, 0, 0x80))], H3.QPACK_DECOMPRESSION_FAILED],
    ['17 responses of 1xx', [...Array<Buffer>(17).fill(headers([':status', '103'])), OK], H3.EXCESSIVE_LOAD],
  ])('%s is told to whoever reads, and ends the connection with its code', async (_what, parts, code) => {
    answer(...parts);
    const stream = (await open()).request(REQUEST);
    const violation = new Http3Error('violation', code);
    await expect(buffer(stream.body)).rejects.toEqual(violation);
    await expect(stream.trailers).rejects.toEqual(violation);
    expect(await connection.ended).toEqual(violation);
    await eventually(() => server.quiche?.peerError(), Boolean);
    expect(server.quiche?.peerError()).toMatchObject({ isApp: true, errorCode: code });
  });

  test.each<[string, Buffer[]]>([
    ['has no status', [headers(['date', 'now'])]],
    ['does not come', []],
  ])('a response that %s fails alone', async (_what, parts) => {
    answer(...parts);
    const stream = (await open()).request(REQUEST);
    await expect(stream.response).rejects.toEqual(new Http3Error('violation', H3.MESSAGE_ERROR));
    answer(OK, data('right'));
    expect(await text(connection.request(REQUEST).body)).toBe('right');
  });

  test.each<[string, Buffer, boolean, number]>([
    ['does not begin with SETTINGS', Buffer.concat([Buffer.of(0), encodeFrame(FRAME.GOAWAY, Buffer.of(0))]), false, H3.MISSING_SETTINGS],
    ['has SETTINGS again', Buffer.concat([SETTINGS, encodeFrame(FRAME.SETTINGS, Buffer.alloc(0))]), false, H3.FRAME_UNEXPECTED],
    ['ends', SETTINGS, true, H3.CLOSED_CRITICAL_STREAM],
    ['is one for push', Buffer.of(1), false, H3.ID_ERROR],
  ])('a control stream that %s ends the connection', async (_what, bytes, isLast, code) => {
    server.onEstablished = (quiche) => quiche.streamSend(CONTROL_ID, bytes, isLast);
    expect(await (await open()).ended).toEqual(new Http3Error('violation', code));
  });

  test('a stream of an unknown type is ignored', async () => {
    server.onEstablished = (quiche) => {
      quiche.streamSend(CONTROL_ID, SETTINGS, false);
      quiche.streamSend(CONTROL_ID + 4, Buffer.from('404242424242', 'hex'), true);
    };
    answer(OK, data('right'));
    expect(await text((await open()).request(REQUEST).body)).toBe('right');
  });

  test('after GOAWAY new requests fail, those before go on', async () => {
    const before = (await open()).request(REQUEST);
    await eventually(() => server.requests.has(0), Boolean);
    server.quiche?.streamSend(CONTROL_ID, encodeFrame(FRAME.GOAWAY, Buffer.of(4)), false);
    server.flush();
    await eventually(
      () => settledWith(connection.start(REQUEST).write(Buffer.from('x'))),
      (end) => end === 'the peer takes no new requests',
    );
    server.quiche?.streamSend(0, Buffer.concat([OK, data('right')]), true);
    server.flush();
    expect(await text(before.body)).toBe('right');
  });

  test('a reset ends both directions and names its code', async () => {
    server.onRequest = (quiche, id) => void quiche.streamShutdown(id, WRITE, H3.EXCESSIVE_LOAD);
    const stream = (await open()).start(REQUEST);
    const reset = new Http3Error('reset', H3.EXCESSIVE_LOAD);
    await expect(stream.response).rejects.toEqual(reset);
    await expect(stream.trailers).rejects.toEqual(reset);
    await expect(stream.write(Buffer.from('x'))).rejects.toEqual(reset);
  });

  test('a stop ends what is written only, and names its code', async () => {
    server.onRequest = (quiche, id) => void quiche.streamShutdown(id, READ, H3.EXCESSIVE_LOAD);
    const stream = (await open()).start(REQUEST);
    const writing = (async () => {
      for (;;) await stream.write(Buffer.alloc(1000));
    })();
    const stopped = new Http3Error('stopped', H3.EXCESSIVE_LOAD);
    await expect(writing).rejects.toEqual(stopped);
    await expect(stream.sent).rejects.toEqual(stopped);
    server.quiche?.streamSend(0, Buffer.concat([OK, data('right')]), true);
    server.flush();
    expect(await text(stream.body)).toBe('right');
  });

  test('a stop is told to who writes later, too, when all of the response has been read', async () => {
    server.onRequest = (quiche, id) => {
      quiche.streamShutdown(id, READ, H3.NO_ERROR);
      quiche.streamSend(id, Buffer.concat([OK, data('enough')]), true);
    };
    const stream = (await open()).start(REQUEST);
    expect(await text(stream.body)).toBe('enough');
    // Both sides know of it, and have nothing more to say about the stream.
    connection.ping();
    expect(await text(connection.request(REQUEST).body)).toBe('enough');
    await expect(stream.write(Buffer.from('x'))).rejects.toEqual(new Http3Error('stopped', H3.NO_ERROR));
  });

  test('a cancelled request is a RESET_STREAM and a STOP_SENDING with H3_REQUEST_CANCELLED', async () => {
    server.onRequest = (quiche, id) => void quiche.streamSend(id, OK, false);
    const stream = (await open()).start(REQUEST);
    await stream.response;
    stream.cancel();
    const told = ['StreamReset', 'StreamStopped'].map((what) => `${what}(${H3.REQUEST_CANCELLED})`);
    await eventually(
      () => [...server.streamErrors],
      (errors) => told.every((error) => errors.includes(error)),
    );
  });

  test('a connection that the server closes names the code', async () => {
    server.onRequest = (quiche) => void quiche.close(true, H3.EXCESSIVE_LOAD, Buffer.alloc(0));
    const stream = (await open()).request(REQUEST);
    const closed = new Http3Error('closed', H3.EXCESSIVE_LOAD);
    await expect(stream.response).rejects.toEqual(closed);
    expect(await connection.ended).toEqual(closed);
  });

  test('what had come before the server closed is read to its end', async () => {
    answer(OK, data('all of it'), headers(['x-late', 'yes']));
    const stream = (await open()).request(REQUEST);
    await stream.response;
    server.quiche?.close(true, H3.NO_ERROR, Buffer.alloc(0));
    server.flush();
    await connection.ended;
    expect(await text(stream.body)).toBe('all of it');
    expect(await stream.trailers).toEqual({ 'x-late': 'yes' });
  });

  test('pings keep a connection, silence ends it', async () => {
    await open({ idleMs: 300 });
    answer(OK);
    await connection.request(REQUEST).response;
    let isOver = false;
    void connection.ended.then(() => (isOver = true));
    for (const until = performance.now() + 1500; performance.now() < until;) {
      connection.ping();
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect(isOver).toBe(false);
    expect(await connection.ended).toEqual(new Http3Error('idle'));
  });

  test('requests beyond the limit wait for their turn; one that is cancelled meanwhile waits no more', async () => {
    server.close();
    await start(1);
    const first = (await open()).request(REQUEST);
    const [cancelled, next] = [connection.request(REQUEST), connection.request(REQUEST)];
    await eventually(() => server.requests.has(0), Boolean);
    cancelled.cancel();
    await expect(cancelled.response).rejects.toEqual(new Http3Error('cancelled', H3.REQUEST_CANCELLED));
    answer(OK, data('right'));
    server.quiche?.streamSend(0, Buffer.concat([OK, data('first')]), true);
    server.flush();
    expect(await text(first.body)).toBe('first');
    expect(await text(next.body)).toBe('right');
  });
});

/** What a promise failed with; that it is still open after a moment else. */
const settledWith = (promise: Promise<unknown>): Promise<string> =>
  Promise.race([
    promise.then(
      () => 'resolved',
      (error: Error) => error.message,
    ),
    new Promise<string>((resolve) => setImmediate(resolve, 'open')),
  ]);
