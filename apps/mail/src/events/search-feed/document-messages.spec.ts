import { documentMessages } from './document-messages';
import type { EmailChange } from './email-document';

const change = (content: string): EmailChange => ({
  tenant: 'acme',
  id: 'i',
  version: 1,
  document: { id: 'msg_i', title: 't', content, url: 'u', attributes: { to: ['a@b.c'] }, timestamp: 1 },
});
const gone: EmailChange = { tenant: 'acme', id: 'i', version: 1, document: undefined };
const MIB = 1024 * 1024;

test('nothing makes no message', () => expect(documentMessages([])).toEqual([]));

test('500 changes go into a message, deletions too, in order', () => {
  const changes = Array.from({ length: 1001 }, (_, i) => ({ ...(i % 2 ? gone : change('x')), version: i }));
  const messages = documentMessages(changes);
  expect(messages.map(({ length }) => length)).toEqual([500, 500, 1]);
  expect(messages.flat()).toEqual(changes);
});

test('a message has 1 MiB at most, as UTF-8; a larger change goes alone', () => {
  const half = 'ä'.repeat(MIB / 4 - 500);
  const sizes = documentMessages([change(half), change(half), change(half), change('x'.repeat(MIB)), change('y'), gone]);
  expect(sizes.map(({ length }) => length)).toEqual([2, 1, 1, 2]);
});
