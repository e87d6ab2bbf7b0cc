import { checkHeaders, checkLine, checkMailbox, checkMetadata, checkTime, Violations } from './check-fields';
import { limits } from './email.fixture';

const found = (check: (violations: Violations) => unknown) => {
  const violations = new Violations();
  check(violations);
  return violations.found;
};
const headers = (map: Record<string, string>) => found((violations) => checkHeaders('options.headers', map, limits, violations));
const metadata = (map: Record<string, string>) => found((violations) => checkMetadata('options.metadata', map, limits, violations));
/** As JSON gives it: `__proto__` is a name like any other. */
const json = (text: string) => JSON.parse(text) as Record<string, string>;

describe('headers', () => {
  test.each([
    {},
    { 'X-Campaign': 'spring' },
    { 'List-Unsubscribe': '<https://example.com/u>', 'List-Id': 'x', References: '<a@b>', 'In-Reply-To': '<a@b>', Precedence: 'bulk' },
    { 'X-Tab': 'a\tb', 'X-Utf8': 'Grüße 😀', constructor: 'c', toString: 's' },
    { 'X-Long': 'v'.repeat(997), [`X${'n'.repeat(75)}`]: 'v' },
    { 'X-From': 'a', 'From-X': 'b', Contents: 'c', Resent: 'd', Arc: 'e', 'Dkim-Signature-X': 'f', Received2: 'g' },
    Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`X-${i}`, 'v'])),
  ])('%#: taken', (map) => {
    expect(headers(map)).toEqual([]);
  });

  test.each(['', ' \t'])('the value %j is refused: the composer would leave the header out', (value) => {
    expect(headers({ 'X-Empty': value })).toEqual([{ field: 'options.headers[X-Empty]', description: 'must not be empty' }]);
  });

  test.each(
    [
      'From Sender To Cc Bcc Reply-To Subject Date Message-ID MIME-Version Received Return-Path DKIM-Signature Authentication-Results',
      'Content-Type Content-Transfer-Encoding Content-Anything Content- Resent-To Resent-From Resent- ARC-Seal ARC-Message-Signature',
    ].flatMap((names) => names.split(' ')),
  )('%s may not be set, however it is written', (name) => {
    for (const written of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(headers({ [written]: 'x' })).toEqual([
        { field: `options.headers[${written}]`, description: expect.stringContaining('may not be set') },
      ]);
    }
  });

  test.each([
    '__proto__',
    '',
    ' ',
    'X Y',
    'X:',
    'X-A: b\r\nBcc',
    'X\r',
    'X\n',
    'X\0',
    'X\t',
    'Ünicode',
    '1X',
    '-X',
    'X(y)',
    'n'.repeat(77),
    'From ',
    ' From',
  ])('the name %j is refused by its own words', (name) => {
    expect(headers(json(`{${JSON.stringify(name)}: "x"}`))).toEqual([
      { field: `options.headers[${name}]`, description: expect.stringContaining('must be named') },
    ]);
  });

  test.each([
    ['a\r\nBcc: x@y.de', 'line ends'],
    ['a\nb', 'line ends'],
    ['a\rb', 'line ends'],
    ['a\0b', 'control'],
    ['a\u007fb', 'control'],
    ['v'.repeat(998), 'at most 997'],
    ['a\ud800b', 'well-formed'],
  ])('the value %j is refused', (value, words) => {
    expect(headers({ 'X-A': value })).toEqual([{ field: 'options.headers[X-A]', description: expect.stringContaining(words) }]);
  });

  test.each([
    ['X-A', 'x-a'],
    ['x-a', 'X-A'],
  ])('two names that differ in case only: %s, then %s', (first, second) => {
    expect(headers({ [first]: '1', 'X-B': '2', [second]: '3' })).toEqual([
      { field: `options.headers[${second}]`, description: expect.stringContaining('twice') },
    ]);
  });

  test('too many, too much: told for the whole', () => {
    expect(headers(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`X-${i}`, 'v'])))).toEqual([
      { field: 'options.headers', description: 'must have at most 64 entries' },
    ]);
    // In bytes, not characters.
    const large = Object.fromEntries(Array.from({ length: 18 }, (_, i) => [`X-${i}`, 'ü'.repeat(460)]));
    expect(headers(large)).toEqual([{ field: 'options.headers', description: 'must be at most 16384 bytes in all' }]);
  });
});

describe('metadata', () => {
  test('taken', () => {
    expect(
      metadata({ a: '', 'order.id_1-2': 'x\r\n\ty 😀', '1': 'v'.repeat(1024), [`k${'n'.repeat(127)}`]: 'v', constructor: 'c', A: '1' }),
    ).toEqual([]);
  });

  test.each(['__proto__', '', '.a', '_a', '-a', 'a b', 'ü', 'a\0', 'n'.repeat(129)])('the name %j is refused', (name) => {
    expect(metadata(json(`{${JSON.stringify(name)}: "x"}`))).toEqual([
      { field: `options.metadata[${name}]`, description: expect.stringContaining('must be named') },
    ]);
  });

  test.each([
    ['v'.repeat(1025), 'at most 1024'],
    ['a\0', 'NUL'],
    ['\udc00', 'well-formed'],
  ])('the value %j is refused', (value, words) => {
    expect(metadata({ a: value })).toEqual([{ field: 'options.metadata[a]', description: expect.stringContaining(words) }]);
  });
});

test('a line: no line ends, no NUL, no half of a pair; anything else', () => {
  const line = (text: string) =>
    found((violations) => checkLine('email.subject', text, 20, violations)).map(({ description }) => description);
  expect(line('Grüße\t😀'.padEnd(20, 'x'))).toEqual([]);
  expect(line('x'.repeat(21))).toEqual(['must be at most 20 characters']);
  for (const text of ['a\nb', 'a\rb', 'a\0b', 'a\u001bb', 'a\u007fb'])
    expect(line(text)).toEqual(['must not contain line ends or other control characters']);
  for (const text of ['\ud83d', 'a\ude00b', '\ude00\ud83d']) expect(line(text)).toEqual([expect.stringContaining('well-formed Unicode')]);
});

test('a mailbox with half a pair is refused', () => {
  expect(found((violations) => checkMailbox('email.to[3]', 'a\ud800@example.com', violations))).toEqual([
    { field: 'email.to[3]', description: expect.stringContaining('must be an address') },
  ]);
});

test('a time: unix seconds in any number that the contract can carry', () => {
  const time = (text: string) => {
    const violations = new Violations();
    return checkTime('options.send_at', text, violations)?.toISOString() ?? violations.found[0]?.field;
  };
  expect(time('0')).toBeUndefined();
  expect(time('1')).toBe('1970-01-01T00:00:01.000Z');
  expect(time('1767323045')).toBe('2026-01-02T03:04:05.000Z');
  expect(time('9007199254740991')).toBe('+275760-09-13T00:00:00.000Z');
  for (const text of ['-1', '9007199254740992', '9223372036854775807', '9'.repeat(10_000), '1.5', '1e3', '', ' 1', 'now', '0x10', 'NaN']) {
    expect(time(text)).toBe('options.send_at');
  }
});
