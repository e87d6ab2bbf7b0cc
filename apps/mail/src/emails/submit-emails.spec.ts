import type { Caller } from '@sky-genesis/grpc/caller';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { eventually } from '../../../../test/eventually';
import { draft } from './email.fixture';
import type { EmailDraft } from './new-email';
import { MAX_IN_FLIGHT, MAX_REQUESTS, SubmitEmails, type SubmitRequest } from './submit-emails';
import { accepted, FakeStream, HeldAccepts, type Taken } from './submit-stream.fixture';

const caller: Caller = { subject: 'alice', tenant: 'acme', scopes: new Set(), senders: ['*'], expiresAt: Infinity };

const request = (requestRef: string, over: Partial<EmailDraft> = {}): SubmitRequest => ({
  requestRef,
  idempotencyKey: '',
  draft: () => draft({ subject: requestRef, ...over }),
});
const requests = (from: number, count: number) => Array.from({ length: count }, (_, i) => request(String(from + i)));
/** Once all that can happen by itself has happened. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

let accepts: HeldAccepts;
let stream: FakeStream;
beforeEach(() => {
  accepts = new HeldAccepts();
  stream = new FakeStream();
});
const run = (idleMs = 60_000) => new SubmitEmails(accepts.rule, idleMs).run(stream, caller);

test('each request is answered once, those that are decided together in one message, a failure by itself', async () => {
  const running = run();
  stream.send([request('a'), request('b')]);
  stream.send([request('c')]);
  stream.halfClose();
  await eventually(
    () => accepts.taken.length,
    (length) => length === 3,
  );
  const [a, b, c] = accepts.taken as [Taken, Taken, Taken];
  c.decide(accepted);
  b.decide(new RuleError('QUEUE_FULL'));
  await settled();
  expect(stream.written).toHaveLength(1);
  a.decide(accepted);
  await running;
  expect(stream.written.map((answers) => answers.map(({ requestRef }) => requestRef))).toEqual([['c', 'b'], ['a']]);
  expect(stream.errorOf('b')).toMatchObject({ reason: 'QUEUE_FULL' });
});

describe('request_ref', () => {
  test.each(['', 'x'.repeat(256), 'a\nb', 'a\0', '\u0085'])('%j is refused, by name, and nothing else is', async (ref) => {
    const running = run();
    stream.send([request(ref), request('good')]);
    stream.halfClose();
    await eventually(
      () => accepts.taken.length,
      (length) => length === 1,
    );
    accepts.decideAll();
    await running;
    expect(stream.refs.sort()).toEqual([ref.slice(0, 255), 'good'].sort());
    expect(stream.errorOf(ref.slice(0, 255))).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      details: { violations: [expect.objectContaining({ field: 'request_ref' })] },
    });
  });

  test('one that is not answered yet is refused, how often ever it comes; answered, it may come again', async () => {
    const running = run();
    stream.send([request('a'), request('a'), request('a')]);
    await eventually(
      () => stream.refs,
      (refs) => refs.length === 2,
    );
    expect(stream.errorOf('a')).toMatchObject({ details: { violations: [expect.objectContaining({ field: 'request_ref' })] } });
    stream.send([request('a')]);
    await eventually(
      () => stream.refs,
      (refs) => refs.length === 3,
    );
    expect(accepts.taken).toHaveLength(1);
    accepts.decideAll();
    await eventually(
      () => stream.refs,
      (refs) => refs.length === 4,
    );
    stream.send([request('a')]);
    stream.halfClose();
    await eventually(
      () => accepts.taken,
      (taken) => taken.length === 1,
    );
    accepts.decideAll();
    await running;
    expect(stream.written.flat().map((answer) => 'accepted' in answer)).toEqual([false, false, false, true, true]);
  });
});

test('a draft that cannot be made is that request’s failure', async () => {
  const running = run();
  const draftOf = () => {
    throw new RuleError('INVALID_ARGUMENT', 'email: is required');
  };
  stream.send([{ ...request('bad'), draft: draftOf }]);
  stream.halfClose();
  await running;
  expect(stream.errorOf('bad')).toMatchObject({ message: 'email: is required' });
});

test('a message with too many requests ends the stream; what came before is answered', async () => {
  const running = run();
  stream.send([request('a')]);
  stream.send(requests(0, MAX_REQUESTS + 1));
  const ended = expect(running).rejects.toMatchObject({
    reason: 'INVALID_ARGUMENT',
    details: { violations: [{ field: 'requests', description: `must be at most ${MAX_REQUESTS} of one message` }] },
  });
  await settled();
  expect(accepts.taken.map(({ subject }) => subject)).toEqual(['a']);
  accepts.decideAll();
  await ended;
  expect(stream.refs).toEqual(['a']);
});

describe('no further is read', () => {
  test('when as many requests as may be are not decided', async () => {
    const running = run();
    for (let i = 0; i < 10; i++) stream.send(requests(i * 100, 100));
    await settled();
    expect(accepts.taken).toHaveLength(MAX_IN_FLIGHT);
    expect(stream.reads).toBe(Math.ceil(MAX_IN_FLIGHT / 100));
    accepts.decideAll();
    await eventually(
      () => accepts.taken.length,
      (length) => length === MAX_IN_FLIGHT,
    );
    stream.halfClose();
    const deciding = setInterval(() => accepts.decideAll(), 1);
    await running;
    clearInterval(deciding);
    expect(new Set(stream.refs).size).toBe(1000);
    expect(stream.refs).toHaveLength(1000);
  });

  test('when the client does not take its answers', async () => {
    const running = run();
    stream.hold();
    for (let i = 0; i < 10; i++) stream.send(requests(i * 100, 100));
    stream.halfClose();
    const deciding = setInterval(() => accepts.decideAll(), 1);
    await settled();
    await settled();
    expect(stream.reads).toBe(Math.ceil(MAX_IN_FLIGHT / 100));
    expect(stream.written).toHaveLength(1);
    stream.take();
    await running;
    clearInterval(deciding);
    expect(stream.refs).toHaveLength(1000);
  });

  test('of all streams together, when they have as much under way as AcceptQueue takes for certain; they take turns', async () => {
    const submitting = new SubmitEmails(accepts.rule, 60_000);
    const streams = Array.from({ length: 16 }, () => new FakeStream());
    const all = streams.map((each) => submitting.run(each, caller));
    streams.forEach((each, of) => each.send(Array.from({ length: MAX_IN_FLIGHT }, (_, i) => request(String(i), { subject: `of ${of}` }))));
    await settled();
    const shares = Map.groupBy(accepts.taken, ({ subject }) => subject);
    expect([...shares.values()].map(({ length }) => length)).toEqual(streams.map(() => 2048 / 16));
    const deciding = setInterval(() => accepts.decideAll(), 1);
    for (const each of streams) each.halfClose();
    await Promise.all(all);
    clearInterval(deciding);
    for (const each of streams) expect(new Set(each.refs).size).toBe(MAX_IN_FLIGHT);
  });

  test('when large mails fill that', async () => {
    const running = run();
    stream.send(Array.from({ length: 20 }, (_, i) => request(String(i), { body: 'x'.repeat(2 ** 20) })));
    stream.halfClose();
    await settled();
    expect(accepts.taken).toHaveLength(15);
    const deciding = setInterval(() => accepts.decideAll(), 1);
    await running;
    clearInterval(deciding);
    expect(stream.refs).toHaveLength(20);
  });
});

test('ended from outside: no more is read, what was read is answered, then the reason is told', async () => {
  const running = run();
  stream.send(requests(0, 300));
  await settled();
  stream.end(new RuleError('UNAUTHENTICATED', 'the token expired'));
  stream.send([request('too late')]);
  const ended = expect(running).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  const deciding = setInterval(() => accepts.decideAll(), 1);
  await ended;
  clearInterval(deciding);
  expect(stream.refs).toHaveLength(300);
  expect(stream.refs).not.toContain('too late');
});

test('a client that has left: nothing more is begun, and the stream ends although nothing is decided', async () => {
  const running = run();
  stream.send(requests(0, 1000));
  await settled();
  stream.leave();
  await expect(running).rejects.toMatchObject({ reason: 'CANCELLED' });
  accepts.decideAll();
  await settled();
  expect(accepts.taken).toEqual([]);
  expect(stream.written).toEqual([]);
});

describe('idle', () => {
  test('a stream without messages ends, and says by which setting', async () => {
    const running = run(50);
    stream.send([request('a')]);
    await settled();
    accepts.decideAll();
    await expect(running).rejects.toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('GRPC_STREAM_IDLE_TIMEOUT') as string,
    });
    expect(stream.refs).toEqual(['a']);
  });

  test('not while something is under way', async () => {
    const running = run(10);
    stream.send([request('a')]);
    await new Promise((resolve) => setTimeout(resolve, 60));
    stream.send([request('b')]);
    stream.halfClose();
    await eventually(
      () => accepts.taken.length,
      (length) => length === 2,
    );
    accepts.decideAll();
    await running;
    expect(stream.refs).toEqual(['a', 'b']);
  });
});
