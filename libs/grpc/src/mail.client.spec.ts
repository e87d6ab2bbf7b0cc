import { once } from 'node:events';
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';

import type { CancelEmailRequest, GetEmailRequest, ListEmailsRequest, SubmitEmailRequest } from '@sky-genesis/proto';
import { callContext } from './call-context';
import { unaryCall } from './grpc-client';
import { toStatus } from './grpc-status';
import { Loopback, MAIL, metadataOf } from './loopback.fixture';
import { MailClient } from './mail.client';
import { InvalidArgumentError, RuleError } from './rule-error';

type Call = ServerUnaryCall<Record<string, unknown>, unknown>;
type Callback = sendUnaryData<unknown>;

let loopback: Loopback;
let handler: (call: Call, callback: Callback) => void;
let serviceToken: Promise<string> | undefined;

beforeAll(async () => {
  const handle = (call: Call, callback: Callback) => handler(call, callback);
  const methods = ['submitEmail', 'getEmail', 'listEmails', 'cancelEmail', 'resolveEmail', 'listEvents'];
  const handlers = Object.fromEntries(methods.map((method) => [method, handle]));
  loopback = await Loopback.start({ handlers });
});
afterAll(() => loopback.close());
beforeEach(() => {
  serviceToken = undefined;
  handler = (_call, callback) => callback(null, {});
});

const clientOf = (timeoutMs = 5000, server = loopback) =>
  new MailClient(server.serviceChannel({ timeoutMs, serviceToken: () => serviceToken }));
const get = (options = {}, client = clientOf()) => client.getEmail({ id: 'msg_1' }, options);
const inCall = <T>(signal: AbortSignal, work: () => T) =>
  callContext.run({ requestId: 'mine-1', traceparent: '00-trace', signal, deadline: Infinity }, work);

test('each method calls its RPC with the request as it is, and gives the answer', async () => {
  const client = clientOf();
  const seen: [string, unknown][] = [];
  handler = (call, callback) => {
    seen.push([call.getPath().replace(`/${MAIL}/`, ''), call.request]);
    callback(null, { status: 'canceled', emails: [{ id: 'msg_1' }], messageId: 'msg_1' });
  };
  const submit = { idempotencyKey: 'k', email: { subject: 's' } } as unknown as SubmitEmailRequest;
  expect(await client.submitEmail(submit, {})).toMatchObject({ messageId: 'msg_1', replayed: false });
  expect(await client.getEmail({ id: 'msg_1' }, {})).toMatchObject({ status: 'canceled' });
  expect(await client.listEmails({ pageSize: 3 } as ListEmailsRequest, {})).toMatchObject({ emails: [{ id: 'msg_1' }] });
  expect(await client.cancelEmail({ id: 'msg_2' }, {})).toMatchObject({ status: 'canceled' });
  const resolution = { id: 'msg_3', resolution: 'sent', recipient: 'a@example.com', note: 'asked' };
  expect(await client.resolveEmail(resolution, {})).toMatchObject({ status: 'canceled' });
  expect(await client.listEvents({ after: '5', types: ['email.sent'], messageId: 'msg_1', pageSize: 2 }, {})).toMatchObject({ events: [] });
  expect(seen).toMatchObject([
    ['SubmitEmail', submit],
    ['GetEmail', { id: 'msg_1' }],
    ['ListEmails', { pageSize: 3 }],
    ['CancelEmail', { id: 'msg_2' }],
    ['ResolveEmail', resolution],
    ['ListEvents', { after: '5', types: ['email.sent'], messageId: 'msg_1', pageSize: 2 }],
  ]);
});

test('the token, the idempotency key, the request id and the trace go along', async () => {
  serviceToken = Promise.resolve('signed');
  let seen: Record<string, unknown> = {};
  handler = (call, callback) => {
    seen = call.metadata.getMap();
    callback(null, {});
  };
  const options = { authorization: 'Bearer abc', idempotencyKey: 'key 1' };
  await inCall(new AbortController().signal, () => get(options));
  expect(seen).toMatchObject({
    authorization: 'Bearer abc',
    'idempotency-key': 'key 1',
    'x-service-authorization': 'Bearer signed',
    'x-request-id': 'mine-1',
    traceparent: '00-trace',
  });
  serviceToken = undefined;
  await get();
  for (const name of ['authorization', 'idempotency-key', 'x-service-authorization']) expect(seen).not.toHaveProperty(name);
});

test('an error comes back as the service threw it', async () => {
  const thrown = new InvalidArgumentError([{ field: 'id', description: 'must not be empty' }]);
  handler = (_call, callback) => callback(toStatus(thrown));
  const received = await get().catch((error: unknown) => error);
  expect(received).toBeInstanceOf(RuleError);
  expect(received).toMatchObject({ reason: 'INVALID_ARGUMENT', message: thrown.message, details: thrown.details });
});

test.each([
  [50, undefined],
  [5000, 50],
  [50, 5000],
])('a call is bounded by %i ms of the service and %p ms of its caller, the shorter one', async (timeoutMs, own) => {
  let left: number | undefined;
  handler = (call) => (left = Number(call.getDeadline()) - Date.now());
  await expect(get({ timeoutMs: own }, clientOf(timeoutMs))).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  expect(left === undefined || left <= 50).toBe(true);
});

test('a caller that goes away cancels the call on the service', async () => {
  const caller = new AbortController();
  const entered = new Promise<AbortSignal>((resolve) => (handler = () => resolve(callContext.getStore()!.signal)));
  const answer = inCall(caller.signal, () => get());
  const signal = await entered;
  const ended = once(signal, 'abort');
  caller.abort();
  await expect(answer).rejects.toMatchObject({ reason: 'CANCELLED' });
  await ended;
});

test('a caller that is gone already does not reach the handler', async () => {
  const seen: unknown[] = [];
  handler = (call, callback) => {
    seen.push(call.request['id']);
    callback(null, {});
  };
  const client = clientOf();
  await expect(inCall(AbortSignal.abort(), () => client.getEmail({ id: 'gone' }, {}))).rejects.toMatchObject({ reason: 'CANCELLED' });
  await client.getEmail({ id: 'there' }, {});
  expect(seen).toEqual(['there']);
});

test('a call that ended leaves no listener on the signal of its caller', async () => {
  const { signal } = new AbortController();
  const removed = jest.spyOn(signal, 'removeEventListener');
  await inCall(signal, () => get());
  expect(removed).toHaveBeenCalledTimes(1);
});

test('a service that cannot be reached is SERVICE_UNAVAILABLE', async () => {
  const gone = await Loopback.start({});
  const client = clientOf(5000, gone);
  await gone.grpcServer.drain();
  await expect(get({}, client)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE', code: 'UNAVAILABLE' });
  await gone.close();
});

test('a method that the contract does not have is refused', async () => {
  await expect(unaryCall(loopback.client(), 'getNothing', {}, metadataOf({}), 1000)).rejects.toThrow('getNothing');
});

test('isServing tells what the health of MailService says', async () => {
  const client = clientOf();
  expect(await client.isServing(5000)).toBe(false);
  loopback.grpcServer.setServing(true);
  expect(await client.isServing(5000)).toBe(true);
  loopback.grpcServer.setServing(false);
  expect(await client.isServing(5000)).toBe(false);
});
