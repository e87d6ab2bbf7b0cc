import { callerOf } from './caller-claims';

const valid = { exp: 1, sub: 'ann' };

test('a caller without tenant has a space of its own, unless a tenant is required', () => {
  expect(callerOf(valid, false)).toEqual({ subject: 'ann', tenant: '~ann', scopes: new Set(), senders: [], expiresAt: 1 });
  expect(() => callerOf(valid, true)).toThrow('tenant');
  expect(callerOf({ ...valid, tenant: 'acme' }, true).tenant).toBe('acme');
});

test('no tenant is named as the space of a caller', () => {
  expect(() => callerOf({ ...valid, tenant: '~ann' }, false)).toThrow('tenant');
});

test.each([
  [{ senders: ['a@X.test', '*@Y.test'] }, ['a@x.test', '*@y.test']],
  [{ senders: 'a@X.test, *@Y.test' }, ['a@x.test', '*@y.test']],
  [{ senders: ['*@Müller.test'] }, ['*@xn--mller-kva.test']],
  [{ senders: [], email: 'a@x.test' }, []],
  [{ email: 'Ann@X.test' }, ['Ann@x.test']],
  [{ email: 'a@x.test', email_verified: true }, ['a@x.test']],
  [{ email: 'a@x.test', email_verified: false }, []],
  [{}, []],
])('senders of %j', (claims, senders) => {
  expect(callerOf({ ...valid, ...claims }, false).senders).toEqual(senders);
});

test('scopes are separated by spaces', () => {
  expect(callerOf({ ...valid, scope: ' mail.send  mail.read' }, false).scopes).toEqual(new Set(['mail.send', 'mail.read']));
});

const many = (count: number, text: string) => Array.from({ length: count }, () => text);

test.each([
  ['exp', { exp: undefined }],
  ['exp', { exp: '1' }],
  ['sub', { sub: undefined }],
  ['sub', { sub: '' }],
  ['sub', { sub: 7 }],
  ['sub', { sub: 'a'.repeat(256) }],
  ['sub', { sub: 'a\nb' }],
  ['sub', { sub: 'a\u0000' }],
  ['sub', { sub: 'a\ud800' }],
  ['tenant', { tenant: null }],
  ['tenant', { tenant: 7 }],
  ['tenant', { tenant: '' }],
  ['tenant', { tenant: '.hidden' }],
  ['tenant', { tenant: 'a/b' }],
  ['tenant', { tenant: 'acme\n' }],
  ['tenant', { tenant: 'a'.repeat(65) }],
  ['scope', { scope: ['mail.send'] }],
  ['scope', { scope: null }],
  ['scope', { scope: many(65, 'x').join(' ') }],
  ['scope', { scope: 'a\tb' }],
  ['senders', { senders: null }],
  ['senders', { senders: { 0: 'a@x.test' } }],
  ['senders', { senders: [7] }],
  ['senders', { senders: ['*'] }],
  ['senders', { senders: '*' }],
  ['senders', { senders: ['*@*'] }],
  ['senders', { senders: ['*@*.x.test'] }],
  ['senders', { senders: ['@x.test'] }],
  ['senders', { senders: ['a@'] }],
  ['senders', { senders: ['a@b@x.test'] }],
  ['senders', { senders: ['a b@x.test'] }],
  ['senders', { senders: many(101, 'a@x.test') }],
  ['email', { email: 7 }],
  ['email', { email: '*@x.test' }],
  ['email', { email: 'nobody' }],
])('a wrong claim is found: %s %j', (claim, claims) => {
  expect(() => callerOf({ ...valid, ...claims }, false)).toThrow(claim);
});

test.each([null, undefined, 'text', 7])('claims that are no object: %s', (claims) => {
  expect(() => callerOf(claims, false)).toThrow('claims');
});
