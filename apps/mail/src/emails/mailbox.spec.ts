import { domainOf, isAllowedSender, MailboxError, parseMailbox } from './mailbox';

const local64 = 'l'.repeat(64);
/** A domain of so many characters, its labels within their bound. */
const domain = (length: number) =>
  `${'d'.repeat(60)}.`
    .repeat(4)
    .slice(0, length - 3)
    .replace(/\.$/, 'd') + '.de';

test.each([
  ['a@example.com', '', 'a@example.com'],
  ['  a@example.com ', '', 'a@example.com'],
  ['<a@example.com>', '', 'a@example.com'],
  ['Ann <a@example.com>', 'Ann', 'a@example.com'],
  ['Ann B.  Clark <a@example.com>', 'Ann B. Clark', 'a@example.com'],
  ['Ann<a@example.com>', 'Ann', 'a@example.com'],
  ['"Clark, Ann; <x@y.de>" <a@example.com>', 'Clark, Ann; <x@y.de>', 'a@example.com'],
  ['"say \\"hi\\" \\\\" <a@example.com>', 'say "hi" \\', 'a@example.com'],
  ['"" <a@example.com>', '', 'a@example.com'],
  ["O'Neil <a@example.com>", "O'Neil", 'a@example.com'],
  ['Зоя 😀 <a@example.com>', 'Зоя 😀', 'a@example.com'],
  ["a.b+c_d-e!#$%&'*/=?^`{|}~@example.com", '', "a.b+c_d-e!#$%&'*/=?^`{|}~@example.com"],
  ['A.b@EXAMPLE.Com', '', 'A.b@example.com'],
  ['a@localhost', '', 'a@localhost'],
  ['a@sub.1a.xn--bcher-kva.example', '', 'a@sub.1a.xn--bcher-kva.example'],
  ['a@bücher.example', '', 'a@xn--bcher-kva.example'],
  ['a@BÜCHER.example', '', 'a@xn--bcher-kva.example'],
  ['a@例え。jp', '', 'a@xn--r8jz45g.jp'],
  ['jürgen@example.com', '', 'jürgen@example.com'],
  ['ju\u0308rgen@example.com', '', 'jürgen@example.com'],
  ['😀@example.com', '', '😀@example.com'],
  [`${local64}@example.com`, '', `${local64}@example.com`],
  [`a@${domain(252)}`, '', `a@${domain(252)}`],
])('%j is read', (text, name, address) => {
  expect(parseMailbox(text)).toEqual({ name, address });
});

test.each([
  '',
  ' ',
  'test',
  '@example.com',
  'a@',
  'a@b@example.com',
  'a b@example.com',
  'a@exa mple.com',
  '.a@example.com',
  'a.@example.com',
  'a..b@example.com',
  'a@example..com',
  'a@.example.com',
  'a@example.com.',
  'a@-example.com',
  'a@example-.com',
  'a@exa_mple.com',
  `a@${'d'.repeat(64)}.com`,
  // Not taken: quoted local parts, literals, comments, groups, lists, routes.
  '"a b"@example.com',
  '"a@b"@example.com',
  'a@[127.0.0.1]',
  'a@[IPv6:::1]',
  'a@127.0.0.1',
  'a@0x7f000001',
  'a@0x7f.1',
  'a@1',
  'a(comment)@example.com',
  'a@example.com (comment)',
  'friends: a@example.com;',
  'a@example.com, b@example.com',
  'a@example.com; b@example.com',
  '<a@example.com>, <b@example.com>',
  '<@relay.com:a@example.com>',
  // Unbalanced or doubled.
  '<a@example.com',
  'a@example.com>',
  'Ann <<a@example.com>>',
  'Ann <a@example.com> <b@example.com>',
  'Ann <>',
  'Ann "B" <a@example.com>',
  '"Ann <a@example.com>',
  '"Ann\\" <a@example.com>',
  'Clark, Ann <a@example.com>',
  'a@b <a@example.com>',
  // What would end a command or a line.
  'a@example.com\r\nBcc: b@example.com',
  'a\r\n@example.com',
  'Ann\n <a@example.com>',
  'Ann\0 <a@example.com>',
  'a\t@example.com',
  'a\u007f@example.com',
  // What domainToASCII would read as the host of a URL.
  'a@example.com/path',
  'a@example.com?query',
  'a@example.com#part',
  'a@example.com\\path',
  'a@example.com:25',
  'a@ex%61mple.com',
  'a@example.com%2f',
  'a@exam\uff0fple.com',
  'a@exam\u2100ple.com',
  'a@\u202eexample.com',
  // What cannot be seen, or turns into something else.
  'Ann <\u00a0a@example.com>',
  'a\u00a0@example.com',
  'a\u200bb@example.com',
  'a\u202eb@example.com',
  'a\ufeffb@example.com',
  'a\u0085b@example.com',
  'a\u2028b@example.com',
  'a\u037eb@example.com',
  'Ann <a@example.com\u00a0>',
])('%j is refused', (text) => {
  expect(() => parseMailbox(text)).toThrow(MailboxError);
});

test.each([
  ['l'.repeat(65) + '@example.com', /at most 64 octets before the @/],
  ['ü'.repeat(33) + '@example.com', /at most 64 octets before the @/],
  [`${local64}@${domain(190)}`, /at most 254 octets/],
  ['x'.repeat(600), /at most 512 characters/],
  [`"${'x'.repeat(600)}" <a@example.com>`, /at most 512 characters/],
])('%#: a bound is told by its number', (text, message) => {
  expect(() => parseMailbox(text)).toThrow(message);
});

test('an address is what it says when it is read again', () => {
  for (const text of ['Ann <A@BÜCHER.example>', 'ju\u0308rgen@例え。jp', 'a@localhost']) {
    const { address } = parseMailbox(text);
    expect(parseMailbox(address)).toEqual({ name: '', address });
  }
});

// A pattern that tries every way to split a text would not come to an end on these: a test that hangs has failed.
test.each(['"', '"\\', '<', '.', 'a.', '\\"', 'a@', ' ', '-', 'a-', '😀', '>', '\u0308'])('a long run of %j is refused at once', (part) => {
  for (const [before, after] of [
    ['', ''],
    ['"', '" <a@example.com'],
    ['', '@example.com'],
    ['a@', ''],
    ['a@', '!'],
    ['a <', '>'],
  ]) {
    const text = `${before}${part.repeat(1_000_000)}${after}`;
    expect(() => parseMailbox(text)).toThrow(MailboxError);
    const atTheBound = text.slice(0, 500) + (after ?? '');
    expect(() => parseMailbox(`${atTheBound}\0`)).toThrow(MailboxError);
    try {
      parseMailbox(atTheBound);
    } catch (error) {
      expect(error).toBeInstanceOf(MailboxError);
    }
  }
});

test('domainOf', () => {
  expect(domainOf('a@example.com')).toBe('example.com');
});

test.each([
  ['a@example.com', ['a@example.com'], true],
  ['A@example.com', ['a@EXAMPLE.com'], true],
  ['a@example.com', ['b@example.com', '*@example.com'], true],
  ['a@example.com', ['*@Example.COM'], true],
  ['a@example.com', ['*'], true],
  ['a@example.com', [], false],
  ['a@example.com', ['b@example.com'], false],
  ['a@sub.example.com', ['*@example.com'], false],
  ['a@notexample.com', ['*@example.com', '*example.com'], false],
  ['a@example.com', ['*@*', '*@*.com', 'a@*', '@example.com', 'example.com', '*@example.com.evil.org'], false],
  ['*@example.com', ['a@example.com'], false],
])('%s among %j: %p', (address, senders, allowed) => {
  expect(isAllowedSender(address, senders)).toBe(allowed);
});
