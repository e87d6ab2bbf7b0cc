import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { RuleError, toStatus } from '@sky-genesis/grpc';
import type { EmailEvent, WatchEventsResponse } from '@sky-genesis/proto';
import type { Watch } from '../../testing/fake-mail.service';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
const { mail } = fixture;
beforeAll(() => fixture.start({ GRPC_TIMEOUT: '1' }));
afterAll(() => fixture.stop());

const eventAt = (cursor: string, more: Partial<EmailEvent> = {}): EmailEvent => ({
  id: `evt_${cursor}`,
  cursor,
  type: 'email.sent',
  messageId: 'msg_1',
  recipient: 'a@example.com',
  status: 'sent',
  detail: '250 Ok\n',
  occurredAtMs: '1640995201000',
  ...more,
});
const eventJson = (cursor: string) => ({
  id: `evt_${cursor}`,
  cursor,
  type: 'email.sent',
  message_id: 'msg_1',
  recipient: 'a@example.com',
  status: 'sent',
  detail: '250 Ok\n',
  occurred_at_ms: 1640995201000,
});

describe('as a page', () => {
  test('passes on what is asked for, and gives the page', async () => {
    mail.listEvents = () => ({
      events: [eventAt('8'), eventAt('9', { type: 'email.queued', recipient: '', detail: '' })],
      cursor: '9',
      hasMore: true,
    });
    const { status, headers, json } = await fixture.ask(
      '/api/v1/events?after=7&types=email.sent,email.queued&types=email.bounced&message_id=msg_1&page_size=2',
      {
        headers: { accept: '*/*' },
      },
    );
    expect([status, headers.get('content-type'), headers.get('vary')]).toEqual([
      200,
      expect.stringContaining('application/json'),
      'accept',
    ]);
    expect(mail.last.request).toEqual({
      after: '7',
      types: ['email.sent', 'email.queued', 'email.bounced'],
      messageId: 'msg_1',
      pageSize: 2,
    });
    expect(json).toEqual({
      events: [
        eventJson('8'),
        { id: 'evt_9', cursor: '9', type: 'email.queued', message_id: 'msg_1', status: 'sent', occurred_at_ms: 1640995201000 },
      ],
      cursor: '9',
      has_more: true,
    });
  });

  test.each([
    ['?types=', 'types[0]'],
    ['?page_size=x', 'page_size'],
    ['?after=1&after=2', 'after'],
    ['?since=1', 'since'],
  ])('%s is refused by name', async (query, field) => {
    const { status, json } = await fixture.ask(`/api/v1/events${query}`);
    expect([status, json.errors.map((error: { field: string }) => error.field)]).toEqual([400, [field]]);
  });

  test('a cursor that is no longer kept is told with the first that is', async () => {
    mail.listEvents = () => {
      throw new RuleError('CURSOR_OUT_OF_RANGE', 'too old', { facts: { first_cursor: '100' } });
    };
    const { status, json } = await fixture.ask('/api/v1/events?after=1');
    expect([status, json.code, json.facts]).toEqual([400, 'CURSOR_OUT_OF_RANGE', { first_cursor: '100' }]);
  });

  test('HEAD asks for a page, also where a stream would be accepted', async () => {
    mail.listEvents = () => ({ events: [], cursor: '7', hasMore: false });
    const headers = { accept: 'text/event-stream', authorization: `Bearer ${tokenFor()}` };
    const { status } = await fetch(`${fixture.url}/api/v1/events`, { method: 'HEAD', headers });
    expect([status, mail.last.method]).toEqual([200, 'listEvents']);
  });
});

/** A stream as it is read, frame by frame. */
class Reading {
  private text = '';
  private readonly chunks: AsyncIterator<string>;
  private constructor(
    readonly request: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    this.chunks = response[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  static async open(query = '', headers: Record<string, string> = {}): Promise<Reading> {
    const asked = request(`${fixture.url}/api/v1/events${query}`, {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${tokenFor()}`, ...headers },
    });
    asked.end();
    asked.on('error', () => undefined);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    response.setEncoding('utf8').on('error', () => undefined);
    return new Reading(asked, response);
  }

  /** The next frame; undefined at the end. */
  async frame(): Promise<Record<string, string> | undefined> {
    while (!this.text.includes('\n\n')) {
      const { done, value } = await this.chunks.next();
      if (done) return undefined;
      this.text += value;
    }
    const end = this.text.indexOf('\n\n');
    const lines = this.text.slice(0, end).split('\n');
    this.text = this.text.slice(end + 2);
    return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
  }
}

const write = (call: Watch, response: Partial<WatchEventsResponse>) => call.write(response);

describe('as a stream', () => {
  let call: Watch;
  beforeEach(() => {
    mail.watchEvents = (watch) => {
      call = watch;
      write(call, { cursor: '7' });
    };
  });

  test('gives the starting cursor at once, each event as it comes, and the cursor where a filter left events out', async () => {
    const reading = await Reading.open('?after=7&types=email.sent&message_id=msg_1');
    const { statusCode, headers } = reading.response;
    expect([statusCode, headers]).toMatchObject([
      200,
      { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no', vary: 'accept' },
    ]);
    expect(mail.last.request).toEqual({ after: '7', types: ['email.sent'], messageId: 'msg_1' });
    expect(await reading.frame()).toEqual({ retry: '2000', id: '7' });
    write(call, { events: [eventAt('8'), eventAt('9')], cursor: '9' });
    write(call, { events: [eventAt('10')], cursor: '12' });
    write(call, { cursor: '15' });
    for (const cursor of ['8', '9', '10']) {
      const { data, ...frame } = (await reading.frame())!;
      expect([frame, JSON.parse(data!)]).toEqual([{ id: cursor, event: 'email.sent' }, eventJson(cursor)]);
    }
    expect(await reading.frame()).toEqual({ id: '12' });
    expect(await reading.frame()).toEqual({ id: '15' });
    reading.request.destroy();
    await mail.last.cancelled;
  });

  test('Last-Event-ID wins over `after`', async () => {
    const reading = await Reading.open('?after=7', { 'last-event-id': '12' });
    expect(mail.last.request).toMatchObject({ after: '12' });
    reading.request.destroy();
  });

  test('what goes wrong before the first answer has its status', async () => {
    mail.watchEvents = (watch) => watch.emit('error', toStatus(new RuleError('TOO_MANY_STREAMS')));
    const { status, headers, json } = await fixture.ask('/api/v1/events', { headers: { accept: 'text/event-stream' } });
    expect([status, headers.get('content-type'), json.code]).toEqual([429, 'application/problem+json', 'TOO_MANY_STREAMS']);
  });

  test('a service that does not begin is a 504', async () => {
    mail.watchEvents = () => undefined;
    const { status, json } = await fixture.ask('/api/v1/events', { headers: { accept: 'text/event-stream' } });
    expect([status, json.code]).toEqual([504, 'DEADLINE_EXCEEDED']);
    await mail.last.cancelled;
  });

  test('lasts longer than a unary call may', async () => {
    const reading = await Reading.open();
    await reading.frame();
    mail.getEmail = () => new Promise(() => undefined);
    expect((await fixture.ask('/api/v1/mail/msg_0190a0b0-0000-7000-8000-000000000001')).status).toBe(504);
    write(call, { cursor: '8' });
    expect(await reading.frame()).toEqual({ id: '8' });
    reading.request.destroy();
  });

  test('page_size is refused', async () => {
    const { status, json } = await fixture.ask('/api/v1/events?page_size=5', { headers: { accept: 'text/event-stream' } });
    expect([status, json.errors[0].field]).toEqual([400, 'page_size']);
  });

  test('what goes wrong later is the last frame, with the cursor to go on from', async () => {
    const reading = await Reading.open();
    await reading.frame();
    call.emit('error', toStatus(new RuleError('UNAUTHENTICATED', 'the token is expired', { facts: { cursor: '7' } })));
    const { event, data } = (await reading.frame())!;
    expect([event, JSON.parse(data!)]).toEqual([
      'error',
      {
        status: 401,
        title: 'Unauthorized',
        detail: 'the token is expired',
        code: 'UNAUTHENTICATED',
        facts: { cursor: '7' },
        request_id: reading.response.headers['x-request-id'],
      },
    ]);
    expect(await reading.frame()).toBeUndefined();
  });

  test('a reader that is slow stops the service, and gets everything in the end', async () => {
    const total = 2000;
    let written = 0;
    mail.watchEvents = (watch) => {
      write(watch, { cursor: '0' });
      const more = () => {
        while (written < total) {
          const cursor = String(++written);
          if (!write(watch, { events: [eventAt(cursor, { detail: 'x'.repeat(20_000) })], cursor })) return;
        }
      };
      watch.on('drain', more);
      more();
    };
    const reading = await Reading.open();
    let before = -1;
    // It stands when all the sockets between hold what they can.
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(written).toBeLessThan(total);
    await reading.frame();
    for (let cursor = 1; cursor <= total; cursor++) expect((await reading.frame())?.id).toBe(String(cursor));
    reading.request.destroy();
  });
});

test('a server that closes ends its streams, which are told to ask again', async () => {
  const closing = await new GatewayFixture().start();
  const response = await fetch(`${closing.url}/api/v1/events`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${tokenFor()}` },
  });
  const began = Date.now();
  const [text] = await Promise.all([response.text(), closing.close()]);
  const last = text.trim().split('\n\n').at(-1)!;
  expect(last).toMatch(/^event: error\ndata: \{.*"code":"SERVER_DRAINING"/);
  // Far less than the grace of 20 s.
  expect(Date.now() - began).toBeLessThan(5000);
  closing.mail.stop();
});
