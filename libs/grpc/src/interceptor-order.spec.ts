import { InterceptingCall, type Interceptor, ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { callContext } from './call-context';
import { type AppsRole, inOrder, type Role, ROLES } from './interceptor-order';
import { ask, Loopback, MAIL } from './loopback.fixture';

let passed: string[];
beforeEach(() => (passed = []));

/** Notes when it sees the metadata of a call, and when the status that ends it. */
const onServer =
  (role: Role): ServerInterceptor =>
  (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, proceed) => {
            passed.push(callContext.getStore() ? role : `${role}, without a context`);
            proceed(metadata);
          },
          onReceiveMessage: (message, proceed) => proceed(message),
          onReceiveHalfClose: (proceed) => proceed(),
          onCancel: () => undefined,
        }),
      sendStatus: (status, next) => {
        passed.push(`${role} ends`);
        next(status);
      },
      sendMetadata: (metadata, next) => next(metadata),
      sendMessage: (message, next) => {
        passed.push(`${role} has ${(message as object).constructor.name}`);
        next(message);
      },
    });

const onClient =
  (role: Role): Interceptor =>
  (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start: (metadata, listener, next) => {
        passed.push(role);
        next(metadata, listener);
      },
    });

/** One for each role, named in the wrong order. */
const each = <T>(make: (role: Role) => T, roles: readonly Role[] = ROLES) =>
  Object.fromEntries(roles.toReversed().map((role) => [role, make(role)]));

test('the order is written down', () => {
  expect(ROLES).toEqual(['tracing', 'logging', 'metrics', 'deadline', 'authentication', 'limits', 'compression']);
});

test('on a real server and its client a call passes them in order, and its end the other way round', async () => {
  const ofApp: AppsRole[] = ['logging', 'metrics', 'authentication', 'limits'];
  const getEmail = (_call: unknown, callback: (error: null, answer: object) => void) => callback(null, {});
  const loopback = await Loopback.start({ handlers: { getEmail }, interceptors: each(onServer, ofApp) });
  const client = loopback.client(MAIL, { interceptors: inOrder<Interceptor>(each(onClient)) });
  expect((await ask(client, 'GetEmail', {})).error).toBeNull();
  await loopback.close();
  const back = ofApp.toReversed();
  expect(passed).toEqual([
    ...ROLES,
    // After the one that makes the context: tracing and deadline.
    ...ofApp,
    // Before all others compression has made its bytes of the message.
    ...back.map((role) => `${role} has Frame`),
    ...back.map((role) => `${role} ends`),
  ]);
});

test('one with several roles is there once, in the place of the first; several of one role are in the order given', () => {
  const byRole = { compression: 'gzip', metrics: 'observer', authentication: ['peer', 'token'], logging: 'observer' };
  expect(inOrder(byRole)).toEqual(['observer', 'peer', 'token', 'gzip']);
});
