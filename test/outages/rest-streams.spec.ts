import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { eventually } from '../eventually';
import { TestRelay } from '../integration/test-relay';
import { TestSystem, token } from '../integration/test-system';
import { freePort } from '../free-port';

let system: TestSystem;
/** The connection of a mail to cut@ is cut after all of it, and before the reply. */
const relay = freePort().then((port) => new TestRelay(port));

beforeAll(async () => {
  const usedRelay = await relay;
  await usedRelay.start({
    onData(stream, session, callback) {
      stream.resume();
      stream.once('end', () => {
        if (!session.envelope.rcptTo[0]?.address.startsWith('cut@')) callback();
        else (this as unknown as { connections: Set<{ _socket: { destroy(): void } }> }).connections.forEach((c) => c._socket.destroy());
      });
    },
  });
  system = await TestSystem.start({}, { relay: usedRelay });
});
afterAll(() => system?.stop());

interface BulkAnswer {
  request_ref?: string;
  message_id?: string;
  status?: string;
  replayed?: boolean;
  problem?: { status: number; code: string; errors?: { field: string }[] };
}
interface EventJson {
  id: string;
  cursor: string;
  type: string;
  message_id: string;
}
interface Frame {
  id?: string;
  event?: string;
  data?: string;
}

function openBulk(own: string): ClientRequest {
  const headers = { authorization: `Bearer ${own}`, 'content-type': 'application/x-ndjson' };
  return request(`${system.url}/api/v1/mail/bulk`, { method: 'POST', headers });
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    const lines = (text + String(chunk)).split('\n');
    text = lines.pop()!;
    yield* lines;
  }
}

/** Writes lines no faster than they are taken, and reads the answers meanwhile. */
async function bulk(own: string, lines: readonly string[]): Promise<BulkAnswer[]> {
  const sending = openBulk(own);
  const writing = (async () => {
    for (const line of lines) if (!sending.write(`${line}\n`)) await once(sending, 'drain');
    sending.end();
  })();
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'application/x-ndjson']);
  const answers: BulkAnswer[] = [];
  for await (const line of linesOf(response)) answers.push(JSON.parse(line) as BulkAnswer);
  await writing;
  return answers;
}

/** The frames of a stream, until the loop is left. */
async function* watch(own: string, query: string, headers: Record<string, string> = {}): AsyncGenerator<Frame, void, undefined> {
  const asked = request(`${system.url}/api/v1/events${query}`, {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${own}`, ...headers },
  });
  asked.on('error', () => undefined).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  response.on('error', () => undefined);
  expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
  try {
    let frame: Frame = {};
    for await (const line of linesOf(response)) {
      if (line === '') {
        yield frame;
        frame = {};
      } else frame = { ...frame, [line.slice(0, line.indexOf(': '))]: line.slice(line.indexOf(': ') + 2) };
    }
  } finally {
    asked.destroy();
  }
}

async function allEvents(own: string, query = ''): Promise<EventJson[]> {
  const found: EventJson[] = [];
  for (let after = '0', more = true; more;) {
    const { body } = await system.rest('GET', `/api/v1/events?after=${after}&page_size=1000${query}`, { token: own });
    found.push(...(body.events as EventJson[]));
    after = String(body.cursor);
    more = body.has_more === true;
  }
  return found;
}

test('thousands of mails in one request, bad lines among them: each is answered once, and what is accepted is there', async () => {
  const own = token({ tenant: 'bulk' });
  const good = (at: number) =>
    JSON.stringify({ to: [`r${at}@example.com`], subject: `Number ${at}`, body: 'Text', idempotency_key: `key-${at}` });
  const bad: Record<number, [line: string, code: string, field?: string]> = {
    3: ['{"to": [', 'MALFORMED_REQUEST'],
    500: ['{"to": "a@example.com"}', 'INVALID_ARGUMENT', 'to'],
    501: ['{"to": ["no address"], "request_ref": "mine"}', 'INVALID_ARGUMENT', 'to[0]'],
    1500: [JSON.stringify({ to: ['a@example.com'], body: 'x'.repeat(5_000_000) }), 'MESSAGE_TOO_LARGE'],
    2999: ['{"to": ["a@example.com"], "from": "stranger@elsewhere.org"}', 'SENDER_NOT_ALLOWED', 'from'],
  };
  const lines = Array.from({ length: 3000 }, (_, at) => bad[at + 1]?.[0] ?? good(at + 1));
  const answers = await bulk(own, lines);
  const byRef = new Map(answers.map((answer) => [answer.request_ref, answer]));
  expect([answers.length, byRef.size]).toEqual([3000, 3000]);
  for (const [number, [, code, field]] of Object.entries(bad)) {
    const { problem } = byRef.get(number === '501' ? 'mine' : number)!;
    expect([number, problem?.code, problem?.errors?.[0]?.field]).toEqual([number, code, field]);
  }
  const accepted = answers.filter(({ message_id }) => message_id !== undefined);
  expect(accepted).toHaveLength(2995);
  const stored = await system.database.query<{ id: string }>(`select id from email where tenant = 'bulk'`);
  expect(new Set(stored.map(({ id }) => `msg_${id}`))).toEqual(new Set(accepted.map(({ message_id }) => message_id)));
  const events = await allEvents(own, '&types=email.queued');
  expect(new Set(events.map(({ message_id }) => message_id))).toEqual(new Set(accepted.map(({ message_id }) => message_id)));

  const again = await bulk(own, [good(1), good(2)]);
  expect(again.map(({ request_ref, message_id, replayed }) => [request_ref, message_id, replayed]).sort()).toEqual([
    ['1', byRef.get('1')!.message_id, true],
    ['2', byRef.get('2')!.message_id, true],
  ]);
}, 120_000);

test('events as they come, and from where a reader was, without a gap and none twice', async () => {
  const own = token({ tenant: 'watcher' });
  const send = (count: number) =>
    bulk(
      own,
      Array.from({ length: count }, (_, at) => JSON.stringify({ to: [`r${at}@example.com`] })),
    );
  const seen: Frame[] = [];
  const first = watch(own, '?after=0&types=email.queued,email.sent');
  expect(await first.next()).toEqual({ done: false, value: { retry: '2000', id: '0' } });
  await send(20);
  for await (const frame of first) {
    seen.push(frame);
    if (seen.filter(({ data }) => data).length >= 15) break;
  }
  await send(20);
  const lastId = seen.at(-1)!.id!;
  const rest = watch(own, '?after=0&types=email.queued,email.sent', { 'last-event-id': lastId });
  expect((await rest.next()).value).toMatchObject({ id: lastId });
  for await (const frame of rest) {
    seen.push(frame);
    if (seen.filter(({ data }) => data).length === 80) break;
  }
  const events = seen.filter(({ data }) => data);
  expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 80 }, (_, at) => String(at + 1)));
  expect(events.map(({ data }) => JSON.parse(data!) as EventJson)).toEqual(await allEvents(own));
  for (const { id, event, data } of events) expect(JSON.parse(data!)).toMatchObject({ cursor: id, type: event });
});

test('a stream ends with its token, and says where to go on', async () => {
  const tenant = 'expiring';
  await bulk(token({ tenant }), ['{"to": ["a@example.com"]}']);
  const frames: Frame[] = [];
  for await (const frame of watch(token({ tenant }, 3), '?after=0&types=email.queued')) frames.push(frame);
  const { event, data } = frames.at(-1)!;
  expect(event).toBe('error');
  const cursor = frames.findLast(({ id }) => id)!.id;
  expect(JSON.parse(data!)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED', facts: { cursor } });
});

test('a bulk request ends with its token: what it holds by then is answered', async () => {
  const sending = openBulk(token({ tenant: 'expiring' }, 3));
  sending.on('error', () => undefined);
  sending.write('{"to": ["a@example.com"]}\n');
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const answers: BulkAnswer[] = [];
  for await (const line of linesOf(response)) answers.push(JSON.parse(line) as BulkAnswer);
  expect(answers).toMatchObject([{ request_ref: '1', status: 'queued' }, { problem: { status: 401, code: 'UNAUTHENTICATED' } }]);
  sending.destroy();
});

test('who has no scope has no stream', async () => {
  const own = token({ scope: 'mail.read' });
  const headers = { accept: 'text/event-stream' };
  const answers = await Promise.all([
    system.rest('GET', '/api/v1/events', { token: own, headers }),
    system.rest('GET', '/api/v1/events', { token: own }),
    system.rest('POST', '/api/v1/mail/bulk', { token: own, body: '{}\n', headers: { 'content-type': 'application/x-ndjson' } }),
    system.rest('POST', '/api/v1/mail/msg_1/resolve', { token: own, body: { resolution: 'sent' } }),
  ]);
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(4).fill([403, 'SCOPE_MISSING']));
});

describe('an email that is uncertain', () => {
  const uncertain = async () => {
    const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['cut@example.com'], on_uncertain: 'hold' } });
    const path = `/api/v1/mail/${String(body.message_id)}`;
    await eventually(
      async () => (await system.rest('GET', path)).body,
      ({ status }) => status === 'uncertain',
    );
    return { path, id: String(body.message_id) };
  };

  test.each(['sent', 'failed'])('is resolved as %s by hand, which is an event with the note', async (resolution) => {
    const { path, id } = await uncertain();
    const answer = await system.rest('POST', `${path}/resolve`, { body: { resolution, note: 'asked by phone' } });
    expect([answer.status, answer.body]).toEqual([200, { status: resolution }]);
    expect((await system.rest('GET', path)).body).toMatchObject({ status: resolution });
    const events = await allEvents(token(), `&message_id=${id}`);
    expect(events.at(-1)).toMatchObject({ type: `email.${resolution}`, recipient: 'cut@example.com', detail: 'asked by phone' });
    const again = await system.rest('POST', `${path}/resolve`, { body: { resolution } });
    expect([again.status, again.body.code]).toEqual([400, 'NOTHING_TO_RESOLVE']);
  });

  test.each([
    ['{"resolution":"lost"}', 'resolution'],
    ['{}', 'resolution'],
    [`{"resolution":"sent","note":"${'x'.repeat(513)}"}`, 'note'],
    ['{"resolution":"sent","recipients":[]}', 'recipients'],
  ])('is not resolved by %s', async (body, field) => {
    const { path } = await uncertain();
    const answer = await system.rest('POST', `${path}/resolve`, { body });
    expect([answer.status, (answer.body.errors as { field: string }[])[0]?.field]).toEqual([400, field]);
    expect((await system.rest('GET', path)).body.status).toBe('uncertain');
  });

  test('that is not there is a 404', async () => {
    const answer = await system.rest('POST', '/api/v1/mail/msg_1/resolve', { body: { resolution: 'sent' } });
    expect([answer.status, answer.body.code]).toEqual([404, 'EMAIL_NOT_FOUND']);
  });
});
