import { once } from 'node:events';
import { request } from 'node:http';
import { RuleError, toRpcStatus, toStatus } from '@sky-genesis/grpc';
import type { SubmitEmailsRequest } from '@sky-genesis/proto';
import { eventually } from '../../../../test/eventually';
import { Bulk, bulk, codesOf, incompressible, mailTo } from '../../testing/bulk.client';
import { acceptedOf, type Submit } from '../../testing/fake-mail.service';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';

const LIMIT = 1_048_576;
const fixture = new GatewayFixture();
const { mail } = fixture;
const acceptAll = mail.submitEmails;
beforeAll(() => fixture.start({ GRPC_MAX_MESSAGE_SIZE: String(LIMIT), GRPC_TIMEOUT: '1', HTTP_REQUEST_TIMEOUT_SECONDS: '2' }));
afterAll(() => fixture.stop());
beforeEach(() => (mail.submitEmails = acceptAll));

describe('backpressure', () => {
  const line = Buffer.from(`${JSON.stringify(mailTo('a', { body: incompressible(60_000) }))}\n`);
  /** Writes until nothing moves for a while; how often that was. */
  async function writeUntilItStands(sending: Bulk, part: Buffer): Promise<number> {
    for (let times = 1; times < 700; times++) {
      if (sending.request.write(part)) continue;
      const moved = once(sending.request, 'drain').then(() => true);
      if (!(await Promise.race([moved, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 1000))]))) return times;
    }
    throw new Error('it does not stand');
  }

  test('a service that holds back holds the request back', async () => {
    let call!: Submit;
    mail.submitEmails = (submit) => (call = submit);
    const sending = Bulk.open(fixture);
    await sending.response();
    await writeUntilItStands(sending, line);
    acceptAll(call);
    sending.request.end();
    expect((await sending.answers()).every(({ message_id }) => message_id !== undefined)).toBe(true);
  });

  test('a service that reads but does not answer is not sent on', async () => {
    let taken = 0;
    mail.submitEmails = (call) => call.on('data', ({ requests }: SubmitEmailsRequest) => (taken += requests.length));
    const sending = Bulk.open(fixture);
    await sending.response();
    sending.request.write('{}\n'.repeat(10_000));
    await eventually(
      () => taken,
      (count) => count >= 4000,
    );
    // What could still come would come while these are answered.
    for (let asked = 0; asked < 100; asked++) await fixture.ask('/health/live');
    expect(taken).toBeLessThanOrEqual(4096);
    sending.request.destroy();
  });

  test('a client that does not read its answers is not read on', async () => {
    let taken = 0;
    mail.submitEmails = (call) => {
      // A long answer to each: what the sockets hold is soon full.
      call.on('data', ({ requests }: SubmitEmailsRequest) => {
        taken += requests.length;
        const failure = toRpcStatus(new RuleError('QUEUE_FULL', 'x'.repeat(1000))) as never;
        if (!call.write({ results: requests.map(({ requestRef }) => ({ requestRef, failure })) })) {
          call.pause();
          call.once('drain', () => call.resume());
        }
      });
      call.on('end', () => call.end());
    };
    const sending = Bulk.open(fixture);
    await sending.response();
    const lines = (await writeUntilItStands(sending, Buffer.from(`{"body":"${'x'.repeat(1000)}"}\n`.repeat(100)))) * 100;
    expect(taken).toBeLessThan(lines);
    sending.request.destroy();
  });
});

describe('what is held', () => {
  const MIB = 1_048_576;
  const openAll = async (count: number, headers = {}) => {
    const all = Array.from({ length: count }, () => Bulk.open(fixture, headers));
    await Promise.all(all.map((each) => each.response()));
    return all;
  };

  test('a long request leaves room for others', async () => {
    const long = await openAll(40, { 'content-length': String(1024 * MIB) });
    const { status } = await fixture.post('/api/v1/mail/send', { ...mailTo('a'), body: 'x'.repeat(MIB / 2) });
    expect(status).toBe(202);
    long.forEach((each) => each.request.destroy());
  });

  test('lines that do not end yet are held within the budget of all bodies', async () => {
    const headers = { authorization: `Bearer ${tokenFor()}`, 'content-type': 'application/json', 'content-length': String(MIB) };
    const held = Array.from({ length: 16 }, () => request(`${fixture.url}/api/v1/mail/send`, { method: 'POST', headers }));
    held.forEach((each) => each.on('error', () => undefined).flushHeaders());
    await eventually(
      async () => (await fixture.post('/api/v1/mail/send', mailTo('a'))).json.code,
      (code) => code === 'OVERLOADED',
    );
    const answers = await bulk(fixture, mailTo('a', { body: 'x'.repeat(MIB - 1000) }), mailTo('b'));
    expect(codesOf(answers).sort()).toEqual([
      ['1', 'OVERLOADED'],
      ['2', 'msg_2'],
    ]);
    held.forEach((each) => each.destroy());
  });

  test('what lines held is given back, also by those that never end', async () => {
    const line = `{"body":"${'x'.repeat(MIB - 1000)}`;
    for (let round = 0; round < 3; round++) {
      const many = await openAll(14);
      for (const [at, each] of many.entries()) {
        if (at % 2) each.request.end(`${line}"}\n`);
        else each.request.write(line);
      }
      for (const each of many.filter((_, at) => at % 2)) expect(codesOf(await each.answers())).toEqual([['1', 'msg_1']]);
      many.forEach((each) => each.request.destroy());
      await eventually(
        async () => codesOf(await bulk(fixture, ...Array.from({ length: 3 }, () => mailTo('a', { body: 'x'.repeat(MIB - 1000) })))).flat(),
        (codes) => !codes.includes('OVERLOADED'),
      );
    }
  });

  test('a line of any length takes no more memory than the longest that is taken', async () => {
    const sending = Bulk.open(fixture);
    await sending.response();
    const part = Buffer.alloc(MIB, 'x');
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let sent = 0; sent < 512; sent++) {
      if (!sending.request.write(part)) await once(sending.request, 'drain');
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    sending.request.end('\n{"to":["a@example.com"]}\n');
    expect(codesOf(await sending.answers())).toEqual([
      ['1', 'MESSAGE_TOO_LARGE'],
      ['2', 'msg_2'],
    ]);
    expect(most).toBeLessThan(160 * MIB);
  });
});

describe('a stream that ends early', () => {
  test.each(['SERVER_DRAINING', 'UNAUTHENTICATED', 'TOO_MANY_STREAMS'] as const)(
    '%s is told of each line that is not answered',
    async (reason) => {
      mail.submitEmails = (call) => {
        call.once('data', ({ requests }: SubmitEmailsRequest) => {
          call.write(acceptedOf(requests.slice(0, 1)));
          call.emit('error', toStatus(new RuleError(reason)));
        });
      };
      const sending = Bulk.open(fixture);
      sending.request.write(
        `${[mailTo('a'), mailTo('b', { request_ref: 'mine' }), mailTo('c')].map((each) => JSON.stringify(each)).join('\n')}\n`,
      );
      await sending.response();
      const answers = await sending.answers();
      expect(codesOf(answers)).toEqual([
        ['1', 'msg_1'],
        ['mine', reason],
        ['3', reason],
        [undefined, reason],
      ]);
      expect(answers[1]!.problem!.detail).toContain('may be accepted or not');
      sending.request.destroy();
    },
  );

  test('also where the service ends it as if all were answered', async () => {
    mail.submitEmails = (call) => {
      call.on('data', () => undefined);
      call.on('end', () => call.end());
    };
    expect(codesOf(await bulk(fixture, mailTo('a')))).toEqual([['1', 'SERVICE_UNAVAILABLE']]);
  });

  test('a service that cannot be reached is told of each line', async () => {
    const alone = await new GatewayFixture().start();
    alone.mail.stop();
    const sending = Bulk.open(alone);
    sending.write(mailTo('a'));
    await sending.response();
    const answers = await sending.answers();
    expect(codesOf(answers).at(-1)).toEqual([undefined, 'SERVICE_UNAVAILABLE']);
    sending.request.destroy();
    await alone.close();
  });

  test('a server that closes reads no further, answers what was sent, and says that the rest was not read', async () => {
    const closing = await new GatewayFixture().start();
    const calls: Submit[] = [];
    closing.mail.submitEmails = (call) => {
      calls.push(call);
      acceptAll(call);
    };
    const sending = Bulk.open(closing);
    await sending.response();
    sending.write(mailTo('a'));
    expect(await sending.answer()).toMatchObject({ message_id: 'msg_1' });
    const began = Date.now();
    const [answers] = await Promise.all([sending.answers().finally(() => sending.request.destroy()), closing.close()]);
    expect(codesOf(answers)).toEqual([[undefined, 'SERVER_DRAINING']]);
    expect(Date.now() - began).toBeLessThan(10_000);
    closing.mail.stop();
  });
});
