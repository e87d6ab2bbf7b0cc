import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  type Client,
  type ClientDuplexStream,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { callContext, type CallContext } from './call-context';
import { fromServiceError } from './grpc-status';
import { ask, Loopback, MAIL } from './loopback.fixture';
import { boundTimeout } from './long-timeouts';
import { MailClient } from './mail.client';
import { ServiceChannel } from './service.channel';

type Unary = ServerUnaryCall<{ id: string }, unknown>;
type Stream = ServerDuplexStream<object, unknown>;

const LONGEST_MS = 2_147_483_000;

let loopback: Loopback;
let client: Client;
let seen: CallContext[];
let handler: (call: Unary, callback: sendUnaryData<unknown>) => void;

beforeAll(async () => {
  loopback = await Loopback.start({
    handlers: {
      getEmail: (call: Unary, callback: sendUnaryData<unknown>) => {
        seen.push(callContext.getStore()!);
        handler(call, callback);
      },
      submitEmails: (call: Stream) => {
        seen.push(callContext.getStore()!);
        call.end();
      },
      watchEvents: () => undefined,
    },
    limits: { GRPC_TIMEOUT: 10 },
  });
  client = loopback.client();
});
afterAll(() => loopback.close());
beforeEach(() => {
  seen = [];
  handler = (_call, callback) => callback(null, { status: 'sent' });
});

/** What the handler was told of its time, and so the next hop, in ms from now. */
const left = () => seen[0]!.deadline - Date.now();

async function stream(deadline?: number): Promise<void> {
  const open = client as unknown as { submitEmails(options: object): ClientDuplexStream<object, object> };
  const call = open.submitEmails(deadline === undefined ? {} : { deadline });
  call.resume();
  call.end();
  await once(call, 'status');
}

/** A call as no client of grpc-js makes it. */
async function raw(timeout: string): Promise<unknown> {
  const session = connect(`http://${loopback.url}`);
  try {
    const headers = { ':method': 'POST', ':path': `/${MAIL}/GetEmail`, 'content-type': 'application/grpc', te: 'trailers' };
    const call = session.request({ ...headers, 'grpc-timeout': timeout });
    call.end(Buffer.alloc(5));
    let told: Record<string, unknown> = {};
    for (const event of ['response', 'trailers']) call.on(event, (fields: object) => (told = { ...told, ...fields }));
    call.resume();
    await once(call, 'close');
    return told['grpc-status'];
  } finally {
    session.destroy();
  }
}

test('a unary call has the time of the server, or of its caller where that is less', async () => {
  await ask(client, 'GetEmail', { id: '1' });
  expect(left()).toBeGreaterThan(9000);
  expect(left()).toBeLessThanOrEqual(10_000);
  seen = [];
  await ask(client, 'GetEmail', { id: '1' }, undefined, { deadline: Date.now() + 2000 });
  expect(left()).toBeLessThanOrEqual(2000);
});

test('a stream has the time that its caller asks for, and none of its own', async () => {
  await stream();
  expect(seen[0]!.deadline).toBe(Infinity);
  seen = [];
  await stream(Date.now() + 20_000);
  expect(left()).toBeGreaterThan(19_000);
});

test('a call that is late when it comes does not reach its handler', async () => {
  expect(await raw('0m')).toBe(String(status.DEADLINE_EXCEEDED));
  expect(await raw('1n')).toBe(String(status.DEADLINE_EXCEEDED));
  expect(seen).toEqual([]);
});

test('more time than 32 bits of milliseconds hold is as much as a timer waits for, and not none', async () => {
  for (const timeout of ['99999999H', '99999999S', '597H', '35791395M']) expect([timeout, await raw(timeout)]).toEqual([timeout, '0']);
  await stream(Date.now() + 90 * 86_400_000);
  expect(seen.at(-1)!.deadline - Date.now()).toBeGreaterThan(LONGEST_MS - 10_000);
  expect(seen).toHaveLength(5);
});

test.each([
  ['596H', '596H'],
  ['597H', '2147483S'],
  ['35791M', '35791M'],
  ['35792M', '2147483S'],
  ['2147483S', '2147483S'],
  ['2147484S', '2147483S'],
  ['99999999m', '99999999m'],
  ['nonsense', 'nonsense'],
])('a timeout of %s is one of %s', (given, bound) => expect(boundTimeout(given)).toBe(bound));

describe('the next hop', () => {
  const mail = (url = loopback.url) => {
    const pool = { client: (service: string) => loopback.client(service, {}, url) };
    const settings = { service: 'MailService', unary: pool, streams: pool, timeoutMs: 5000, serviceToken: () => undefined };
    return new MailClient(new ServiceChannel(settings));
  };
  const within = <T>(ms: number, work: () => Promise<T>): Promise<T> =>
    callContext.run({ requestId: 'mine', signal: new AbortController().signal, deadline: Date.now() + ms }, work);

  test('gets what is left, less what this one needs for its own answer', async () => {
    await within(1000, () => mail().getEmail({ id: '1' }, {}));
    expect(left()).toBeGreaterThan(700);
    expect(left()).toBeLessThanOrEqual(950);
    seen = [];
    await within(60_000, () => mail().getEmail({ id: '1' }, { timeoutMs: 300 }));
    expect(left()).toBeLessThanOrEqual(300);
  });

  test('is not asked when nothing is left', async () => {
    const late = within(-5, () => mail().getEmail({ id: '1' }, {}));
    await expect(late).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED', message: 'MailService/GetEmail: no answer within 0 ms' });
    expect(seen).toEqual([]);
  });

  test('that does not answer is named, with the time that it had: by itself, or by its caller where nothing comes of it', async () => {
    handler = () => undefined;
    const held: Socket[] = [];
    const frozen = createServer((socket) => held.push(socket)).listen(0, '127.0.0.1');
    await once(frozen, 'listening');
    for (const url of [loopback.url, `127.0.0.1:${(frozen.address() as AddressInfo).port}`]) {
      const asked = mail(url).getEmail({ id: '1' }, { timeoutMs: 100 });
      const message = expect.stringMatching(/^MailService\/GetEmail: no answer within (9\d|100) ms$/) as string;
      await expect(asked).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED', message });
      const watched = mail(url).watchEvents({ after: '', types: [], messageId: '' }, { timeoutMs: 100 });
      const notOver = expect.stringMatching(/^MailService\/WatchEvents: not over within (9\d|100) ms$/) as string;
      await expect(watched.next()).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED', message: notOver });
    }
    for (const socket of held) socket.destroy();
    frozen.close();
  });
});

test('a bare DEADLINE_EXCEEDED of a handler is told as such, too', async () => {
  handler = (_call, callback) => callback({ code: status.DEADLINE_EXCEEDED, details: '' });
  const { error } = await ask(client, 'GetEmail', { id: '1' }, undefined, { deadline: Date.now() + 5000 });
  expect(fromServiceError(error!)).toMatchObject({
    message: expect.stringMatching(/^MailService\/GetEmail: no answer within (499\d|5000) ms$/),
  });
});
