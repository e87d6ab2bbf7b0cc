import { createHmac } from 'node:crypto';
import type { RuleError } from '@sky-genesis/grpc';
import { TestSystem, token } from './test-system';

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start({ MAIL_WORKER: 'false' });
});
afterAll(() => system?.stop());

afterEach(() => system.expectNothingStored());

const EMAIL = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 's', body: 'b' };

describe('who may not', () => {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const claims = { sub: 'mallory', tenant: 'acme', scope: 'mail.send mail.read', iss: 'test', aud: 'sge', exp: 4_000_000_000 };
  const forged = (header: object, payload: object, secret = 'another secret, of 32 bytes and more') => {
    const signed = `${encode(header)}.${encode(payload)}`;
    return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
  };
  const SECRET = 'a secret for tests only, 32 bytes or more';

  const tokens: [what: string, token: string | null][] = [
    ['no token', null],
    ['garbage', 'garbage'],
    ['an expired token', token({}, -60)],
    ['a token signed by someone else', forged({ alg: 'HS256', typ: 'JWT' }, claims)],
    ['alg none', `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`],
    ['the wrong audience', forged({ alg: 'HS256' }, { ...claims, aud: 'someone else' }, SECRET)],
    ['the wrong issuer', forged({ alg: 'HS256' }, { ...claims, iss: 'someone else' }, SECRET)],
    ['no expiry', forged({ alg: 'HS256' }, { ...claims, exp: undefined }, SECRET)],
    ['not valid yet', forged({ alg: 'HS256' }, { ...claims, nbf: 3_900_000_000 }, SECRET)],
  ];

  test.each(tokens)('%s: 401 and UNAUTHENTICATED', async (_what, given) => {
    const answer = await system.rest('POST', '/api/v1/mail/send', { body: EMAIL, token: given });
    expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    const error = await system.grpcError('sendEmail', { email: EMAIL }, { token: given });
    expect([error.code, error.message]).toEqual(['UNAUTHENTICATED', 'No valid auth token']);
  });

  test('the wrong scope: 403 and PERMISSION_DENIED, which name the right one', async () => {
    const reader = token({ scope: 'mail.read' });
    const answer = await system.rest('POST', '/api/v1/mail/send', { body: EMAIL, token: reader });
    expect([answer.status, answer.body.code]).toEqual([403, 'SCOPE_MISSING']);
    const error: RuleError = await system.grpcError('sendEmail', { email: EMAIL }, { token: reader });
    expect([error.code, error.reason]).toEqual(['PERMISSION_DENIED', 'SCOPE_MISSING']);
    expect(String(answer.body.detail) + error.message).toContain('mail.send');
  });

  test('a sender that the token does not allow: 403 and PERMISSION_DENIED, which name the field', async () => {
    const email = { ...EMAIL, from: 'ceo@elsewhere.example' };
    const answer = await system.rest('POST', '/api/v1/mail/send', { body: email });
    expect([answer.status, answer.body.code]).toEqual([403, 'SENDER_NOT_ALLOWED']);
    expect((answer.body.errors as { field: string }[])[0]?.field).toBe('from');
    const error = await system.grpcError('sendEmail', { email });
    expect([error.code, error.details.violations?.[0]?.field]).toEqual(['PERMISSION_DENIED', 'email.from']);
  });

  test('a token without senders needs `from`, and may use none', async () => {
    const error = await system.grpcError('sendEmail', { email: { ...EMAIL, from: '' } }, { token: token({ senders: [] }) });
    expect(error.details.violations?.map(({ field }) => field)).toEqual(['email.from']);
  });
});
