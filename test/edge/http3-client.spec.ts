import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { type Http3Connection } from '../http3/http3-connection';
import { Http3Error } from '../http3/http3-error';
import { Http2Upstream } from './http2-upstream';
import { Http3Nginx } from './http3-nginx';
import { describeWith } from '../system/provisioned';
import { makeCertificates } from './test-certificates';

const MIB = 1024 * 1024;

describeWith('nginx')('the HTTP/3 client before nginx', () => {
  let upstream: Http2Upstream;
  let nginx: Http3Nginx;
  let connection: Http3Connection;

  const head = (method: string, path: string) => ({ method, path, authority: 'localhost' });

  beforeAll(async () => {
    upstream = await Http2Upstream.started();
    nginx = await Http3Nginx.started(upstream.port);
    upstream.on('/hello', (stream) => {
      stream.respond({ 'set-cookie': ['a=1', 'b=2'] });
      stream.end('hello');
    });
    upstream.on('/echo', (stream) => {
      stream.respond({}, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-late': 'yes' }));
      stream.pipe(stream);
    });
  });
  afterAll(async () => {
    await nginx?.remove();
    await upstream?.close();
  });
  beforeEach(async () => {
    connection = await nginx.connect();
  });
  afterEach(() => connection.close());

  test('a GET is answered: status, fields in lower case, repeated ones kept, body', async () => {
    const stream = connection.request(head('GET', '/hello'));
    const { status, headers, informational } = await stream.response;
    expect({ status, informational, protocol: connection.protocol }).toEqual({ status: 200, informational: [], protocol: 'h3' });
    expect(headers).toMatchObject({ server: expect.stringContaining('nginx'), 'set-cookie': ['a=1', 'b=2'] });
    expect(await text(stream.body)).toBe('hello');
    expect(await stream.trailers).toEqual({});
  });

  test('20 MiB go out and come back, with trailers', async () => {
    const sent = randomBytes(20 * MIB);
    const stream = connection.request(head('POST', '/echo'), sent);
    const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
    expect(sha256(await buffer(stream.body))).toBe(sha256(sent));
    expect(await stream.trailers).toEqual({ 'grpc-status': '0', 'x-late': 'yes' });
    await stream.sent;
  });

  test('what is written is answered before the request ends', async () => {
    const stream = connection.start(head('POST', '/echo'));
    const answers = stream.body[Symbol.asyncIterator]();
    for (const word of ['one', 'two']) {
      await stream.write(Buffer.from(word));
      expect((await answers.next()).value?.toString()).toBe(word);
    }
    await stream.end();
    expect(await answers.next()).toEqual({ done: true, value: undefined });
    await expect(stream.write(Buffer.from('more'))).rejects.toThrow('the request has ended');
  });

  test('fields of 7 KiB go both ways', async () => {
    upstream.on('/fields', (stream, { 'x-long': long, 'x-many': many }) => {
      stream.respond({ 'x-long': long, 'x-many': many });
      stream.end();
    });
    const headers = { 'x-long': 'v'.repeat(7 * 1024), 'x-many': ['1', '2'] };
    const { headers: answered } = await connection.request({ ...head('GET', '/fields'), headers }).response;
    expect(answered).toMatchObject({ 'x-long': headers['x-long'], 'x-many': '1, 2' });
  });

  test('trailers are there although nobody reads the body, if that is empty', async () => {
    upstream.on('/refused', (stream) => {
      stream.respond({ 'grpc-status': '7' }, { endStream: true });
    });
    const stream = connection.request(head('POST', '/refused'));
    expect((await stream.response).headers['grpc-status']).toBe('7');
    expect(await stream.trailers).toEqual({});
  });

  test('a cancelled request ends for the upstream, and for everyone who waits for it', async () => {
    const ended = new Promise<number>((resolve) =>
      upstream.on('/cancelled', (stream) => {
        stream.respond({});
        stream.write('so far');
        stream.on('close', () => resolve(stream.rstCode));
      }),
    );
    const stream = connection.start(head('POST', '/cancelled'));
    const body = stream.body[Symbol.asyncIterator]();
    expect((await body.next()).value?.toString()).toBe('so far');
    const next = body.next();
    stream.cancel();
    const cancelled = new Http3Error('cancelled', 0x10c);
    await expect(next).rejects.toEqual(cancelled);
    await expect(stream.trailers).rejects.toEqual(cancelled);
    await expect(stream.write(Buffer.from('more'))).rejects.toEqual(cancelled);
    expect(await ended).toBe(constants.NGHTTP2_CANCEL);
    expect(await text(connection.request(head('GET', '/hello')).body)).toBe('hello');
  });

  test('who leaves the body cancels the request', async () => {
    const ended = new Promise<void>((resolve) =>
      upstream.on('/left', (stream) => {
        stream.respond({});
        stream.write('so far');
        stream.on('close', resolve);
      }),
    );
    for await (const piece of connection.request(head('GET', '/left')).body) {
      expect(piece.toString()).toBe('so far');
      break;
    }
    await ended;
  });

  test('a source of the body that fails cancels the request', async () => {
    const failure = new Error('no more');
    const stream = connection.request(
      head('POST', '/echo'),
      (async function* () {
        yield Buffer.from('first');
        throw failure;
      })(),
    );
    await expect(stream.sent).rejects.toBe(failure);
    await expect(buffer(stream.body)).rejects.toBe(failure);
  });

  test('an upstream that breaks off is a reset that names its code', async () => {
    const hasRead = Promise.withResolvers<void>();
    upstream.on('/broken', (stream) => {
      stream.respond({});
      stream.write('the beginning');
      void hasRead.promise.then(() => stream.session?.destroy());
    });
    const stream = connection.request(head('GET', '/broken'));
    const body = stream.body[Symbol.asyncIterator]();
    expect((await body.next()).value?.toString()).toBe('the beginning');
    hasRead.resolve();
    const reset = new Http3Error('reset', 0x102);
    expect(reset.message).toContain('H3_INTERNAL_ERROR');
    await expect(body.next()).rejects.toEqual(reset);
    await expect(stream.trailers).rejects.toEqual(reset);
  });

  test('an answer before the request ends is read, and writing ends with a stop that names its code', async () => {
    upstream.on('/early-answer', (stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too much');
    });
    const stream = connection.start(head('POST', '/early-answer'));
    const writing = (async () => {
      for (;;) await stream.write(Buffer.alloc(MIB));
    })();
    await expect(writing).rejects.toMatchObject({ kind: 'stopped', code: 0x100, message: expect.stringContaining('H3_NO_ERROR') });
    await expect(stream.sent).rejects.toMatchObject({ kind: 'stopped' });
    expect((await stream.response).status).toBe(413);
    expect(await text(stream.body)).toBe('too much');
  });

  test('1000 requests at a time on 4 connections, more than the server allows each at once', async () => {
    const connections = await Promise.all(Array.from({ length: 4 }, () => nginx.connect()));
    const streams = Array.from({ length: 1000 }, (_value, number) => {
      const body = Buffer.from(`body of ${number}`);
      return { body, stream: connections[number % 4]!.request(head('POST', '/echo'), body) };
    });
    for (const { body, stream } of streams) {
      expect(await buffer(stream.body)).toEqual(body);
      expect(await stream.trailers).toMatchObject({ 'grpc-status': '0' });
    }
    for (const each of connections) each.close();
  });

  test('a closed connection ends everything on it, and takes nothing new', async () => {
    const stream = connection.start(head('POST', '/echo'));
    await stream.write(Buffer.from('x'));
    await stream.response;
    connection.close();
    const ended = new Http3Error('ended');
    expect(await connection.ended).toEqual(ended);
    await expect(stream.trailers).rejects.toEqual(ended);
    await expect(stream.write(Buffer.from('y'))).rejects.toEqual(ended);
    await expect(connection.request(head('GET', '/hello')).response).rejects.toEqual(ended);
  });

  test('a server that another authority signed, or that is called otherwise, is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sge-other-ca-'));
    const unknownAuthority = new Http3Error('transport', 0x100 + 48);
    await expect(nginx.connect({ ca: makeCertificates(folder).ca })).rejects.toEqual(unknownAuthority);
    rmSync(folder, { recursive: true });
    const badCertificate = new Http3Error('transport', 0x100 + 42);
    await expect(nginx.connect({ serverName: 'other.example' })).rejects.toEqual(badCertificate);
  });

  test('a protocol that the server does not speak is refused', async () => {
    await expect(nginx.connect({ alpn: 'hq-interop' })).rejects.toEqual(new Http3Error('transport', 0x100 + 120));
  });
});
