import { X509Certificate } from 'node:crypto';
import { TestAuthority } from '../../../../test/test-authority';
import { identitiesOf, namesService } from './peer-identity';

const authority = new TestAuthority();
const identities = (names: Parameters<TestAuthority['issue']>[0]) => identitiesOf(new X509Certificate(authority.issue(names).cert));

test('DNS names, in lower case, and URIs are identities; the common name and addresses are none', () => {
  const names = { commonName: 'search', dns: ['Mail', 'localhost'], ips: ['127.0.0.1', '::1'], uris: ['spiffe://sge/mail'] };
  expect(identities(names)).toEqual(['mail', 'localhost', 'spiffe://sge/mail']);
});

test('a certificate without names has no identity', () => {
  expect(identities({ commonName: 'mail' })).toEqual([]);
});

test.each<[string, Parameters<TestAuthority['issue']>[0]]>([
  ['a comma', { dns: ['x, DNS:mail'] }],
  ['a comma in a URI', { uris: ['spiffe://sge/x, URI:spiffe://sge/mail'] }],
  ['a quote', { dns: ['x", DNS:mail, DNS:"'] }],
  ['a backslash', { dns: ['x\\", DNS:mail'] }],
  ['a zero byte', { dns: ['mail\0.example.com'] }],
  ['a line end', { dns: ['x\nDNS:mail'] }],
])('a name with %s in it gives no other identity', (_what, names) => {
  expect(identities({ dns: ['x', ...(names.dns ?? [])], uris: names.uris ?? [] })).toEqual(['x']);
});

test('what Node may write in another way some day is believed in no part', () => {
  const certificate = { subjectAltName: 'DNS:mail, what is this' } as X509Certificate;
  expect(identitiesOf(certificate)).toEqual([]);
});

test.each<[string[], boolean]>([
  [['mail'], true],
  [['localhost', 'spiffe://sge/mail'], true],
  [['spiffe://cluster.local/ns/sge/sa/mail'], true],
  [['mail.example.com'], false],
  [['*'], false],
  [['spiffe://mail'], false],
  [['spiffe://sge/mail/x'], false],
  [['spiffe://sge/xmail'], false],
  [['https://sge/mail'], false],
  [[], false],
])('%j is a certificate of mail: %s', (names, isMail) => {
  expect(namesService(names, 'mail')).toBe(isMail);
});
