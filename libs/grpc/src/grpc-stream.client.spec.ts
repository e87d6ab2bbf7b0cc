import { once } from 'node:events';
import type { ServerDuplexStream, ServerWritableStream } from '@grpc/grpc-js';

import type { SubmitEmailsRequest, SubmitEmailsResponse, WatchEventsRequest, WatchEventsResponse } from '@sky-genesis/proto';
import { callContext } from './call-context';
import type { StreamOptions } from './grpc-stream.client';
import { toStatus } from './grpc-status';
import { Loopback, MAIL } from './loopback.fixture';
import { MailClient } from './mail.client';
import { RuleError } from './rule-error';

type Watch = ServerWritableStream<WatchEventsRequest, Partial<WatchEventsResponse>>;
type Submit = ServerDuplexStream<SubmitEmailsRequest, Partial<SubmitEmailsResponse>>;

let loopback: Loopback;
let watch: (call: Watch) => void;
let submit: (call: Submit) => void;

beforeAll(async () => {
  loopback = await Loopback.start({
    handlers: { watchEvents: (call: Watch) => watch(call), submitEmails: (call: Submit) => submit(call) },
  });
});
afterAll(() => loopback.close());

const client = () => new MailClient(loopback.serviceChannel({ timeoutMs: 50, serviceToken: () => Promise.resolve('signed') }));
const watching = (options: StreamOptions = {}) => client().watchEvents({ after: '7', types: ['email.sent'], messageId: '' }, options);
const submitting = (requests: AsyncIterable<SubmitEmailsRequest>, options: StreamOptions = {}) => client().submitEmails(requests, options);
const inCall = <T>(signal: AbortSignal, work: () => T) =>
  callContext.run({ requestId: 'mine-1', traceparent: '00-trace', signal, deadline: Infinity }, work);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

async function* requestsOf(...refs: string[]): AsyncGenerator<SubmitEmailsRequest> {
  for (const requestRef of refs) yield { requests: [{ requestRef }] } as SubmitEmailsRequest;
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe('a stream of answers', () => {
  test('carries the request, the tokens, the id and the trace of the call that it was made in, and has no deadline', async () => {
    const seen: unknown[] = [];
    watch = (call) => {
      seen.push(call.request, call.metadata.getMap(), call.getDeadline());
      call.write({ cursor: '8' });
      call.write({ cursor: '9' });
      call.end();
    };
    const answers = inCall(new AbortController().signal, () => watching({ authorization: 'Bearer abc' }));
    expect((await all(answers)).map(({ cursor }) => cursor)).toEqual(['8', '9']);
    expect(seen).toMatchObject([
      { after: '7', types: ['email.sent'] },
      { authorization: 'Bearer abc', 'x-service-authorization': 'Bearer signed', 'x-request-id': 'mine-1', traceparent: '00-trace' },
      Infinity,
    ]);
  });

  test('ends at the time that is asked for', async () => {
    watch = () => undefined;
    await expect(watching({ timeoutMs: 50 }).next()).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  });

  test('fails as the service threw it, after what came before', async () => {
    watch = (call) => {
      call.write({ cursor: '8' });
      call.emit('error', toStatus(new RuleError('UNAUTHENTICATED', 'expired', { facts: { cursor: '8' } })));
    };
    const seen: string[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { cursor } of watching()) seen.push(cursor);
      })(),
    );
    expect(seen).toEqual(['8']);
    expect(failure).toBeInstanceOf(RuleError);
    expect(failure).toMatchObject({ reason: 'UNAUTHENTICATED', message: 'expired', details: { facts: { cursor: '8' } } });
  });

  test('is not read faster than its consumer asks', async () => {
    let written = 0;
    const cursor = 'x'.repeat(10_000);
    watch = (call) => {
      const more = () => {
        while (call.writable && written < 1000 && call.write({ cursor })) written++;
      };
      call.on('drain', more);
      more();
    };
    const answers = watching();
    await answers.next();
    let before = -1;
    // What the sockets hold is full when nothing more is written for a while.
    while (before !== written) {
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(written).toBeLessThan(500);
    await answers.return();
  });

  test.each(['is left', 'is in a call that ends', 'has a signal that ends'])('is cancelled when it %s', async (how) => {
    const ending = new AbortController();
    const serverSide = new Promise<AbortSignal>((resolve) => {
      watch = (call) => {
        resolve(callContext.getStore()!.signal);
        call.write({ cursor: '8' });
      };
    });
    const answers =
      how === 'is in a call that ends'
        ? inCall(ending.signal, () => watching())
        : watching({ signal: how === 'has a signal that ends' ? ending.signal : undefined });
    await answers.next();
    const ended = once(await serverSide, 'abort');
    if (how === 'is left') await answers.return();
    else {
      const next = answers.next();
      ending.abort(new RuleError('SERVER_DRAINING'));
      await expect(next).rejects.toMatchObject({ reason: 'SERVER_DRAINING' });
    }
    await ended;
  });

  test('leaves no listener on the signals', async () => {
    watch = (call) => call.end();
    const { signal } = new AbortController();
    const removed = jest.spyOn(signal, 'removeEventListener');
    await all(inCall(signal, () => watching({ signal })));
    expect(removed).toHaveBeenCalledTimes(2);
  });
});

describe('a stream of requests and answers', () => {
  const echo = (call: Submit) => {
    call.on('data', ({ requests }: SubmitEmailsRequest) =>
      call.write({ results: requests.map(({ requestRef }) => ({ requestRef, response: { messageId: `msg_${requestRef}` } as never })) }),
    );
    call.on('end', () => call.end());
  };

  test('gives an answer while requests are still to come, and ends when both have', async () => {
    submit = echo;
    let more!: () => void;
    const asked = new Promise<void>((resolve) => (more = resolve));
    const requests = async function* () {
      yield* requestsOf('1');
      await asked;
      yield* requestsOf('2');
    };
    const answers = submitting(requests());
    expect((await answers.next()).value).toMatchObject({ results: [{ requestRef: '1', response: { messageId: 'msg_1' } }] });
    more();
    expect((await answers.next()).value).toMatchObject({ results: [{ requestRef: '2' }] });
    expect((await answers.next()).done).toBe(true);
  });

  test('takes no more requests than the service reads', async () => {
    submit = () => undefined;
    let taken = 0;
    const requests = async function* () {
      for (; taken < 10_000; taken++) yield { requests: [{ requestRef: 'x'.repeat(10_000) }] } as SubmitEmailsRequest;
    };
    const ending = new AbortController();
    const next = submitting(requests(), { signal: ending.signal }).next();
    let before = -1;
    while (before !== taken || taken === 0) {
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    // What fits into the windows and the bounds of grpc-js on both sides.
    expect(taken).toBeLessThan(1000);
    ending.abort();
    await expect(next).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  test('an error of the requests cancels the call, and is what is thrown', async () => {
    const serverSide = new Promise<AbortSignal>((resolve) => (submit = () => resolve(callContext.getStore()!.signal)));
    const requests = async function* () {
      yield* requestsOf('1');
      await serverSide;
      throw new TypeError('not readable');
    };
    await expect(submitting(requests()).next()).rejects.toThrow(new TypeError('not readable'));
    const signal = await serverSide;
    if (!signal.aborted) await once(signal, 'abort');
  });

  test('a failure of the service ends the requests, also those that wait for what never comes', async () => {
    submit = (call) => {
      call.once('data', () => call.emit('error', toStatus(new RuleError('SERVER_DRAINING'))));
    };
    let left = false;
    const requests: AsyncIterable<SubmitEmailsRequest> = {
      [Symbol.asyncIterator]: () => {
        const first = requestsOf('1');
        let at = 0;
        return {
          next: () => (at++ === 0 ? first.next() : new Promise(() => undefined)),
          return: async () => ({ done: (left = true), value: undefined }),
        };
      },
    };
    await expect(submitting(requests).next()).rejects.toMatchObject({ reason: 'SERVER_DRAINING' });
    expect(left).toBe(true);
  });

  test('is cancelled when it is left', async () => {
    const serverSide = new Promise<AbortSignal>((resolve) => {
      submit = (call) => {
        resolve(callContext.getStore()!.signal);
        call.write({ results: [] });
      };
    });
    const requests = async function* () {
      yield* requestsOf('1');
      await new Promise(() => undefined);
    };
    const answers = submitting(requests());
    await answers.next();
    const ended = once(await serverSide, 'abort');
    await answers.return();
    await ended;
  });
});
