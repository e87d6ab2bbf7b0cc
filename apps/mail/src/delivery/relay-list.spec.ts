import { parseRelays } from './relay-list';

const shown = (text: string) => parseRelays(text).map(({ url, connections, rate }) => ({ url: url.href, connections, rate }));

test('one relay, or several in order of preference, each with limits of its own', () => {
  expect(shown('smtp://127.0.0.1:2525')).toEqual([{ url: 'smtp://127.0.0.1:2525', connections: undefined, rate: undefined }]);
  expect(shown(' smtps://user:p%40ss@a.test:465?connections=5&rate=100\n smtp://b.test ')).toEqual([
    { url: 'smtps://user:p%40ss@a.test:465', connections: 5, rate: 100 },
    { url: 'smtp://b.test', connections: undefined, rate: undefined },
  ]);
});

test.each([
  ['', 'must be smtp://'],
  ['http://a.test', 'must be smtp://'],
  ['smtp://', 'must be smtp://'],
  ['smtp://u:%zz@a.test', 'must be smtp://'],
  ['smtp://a.test nonsense', 'must be smtp://'],
  ['smtp://a.test?rate=0', 'rate must be a whole number from 1'],
  ['smtp://a.test?connections=201', 'connections must be a whole number from 1 to 200'],
  ['smtp://a.test?tls=no', 'not ?tls='],
  [Array.from({ length: 17 }, () => 'smtp://a.test').join(' '), '16 relays at most'],
])('%s is refused', (text, why) => {
  expect(() => parseRelays(text)).toThrow(why);
});

test('a fault names no password', () => {
  expect(() => parseRelays('smtp://user:secret@a.test?rate=x')).toThrow(expect.not.stringContaining('secret'));
});

test.each([
  ['smtp://relay.example', false],
  ['smtp://user:secret@relay.example', true],
  ['smtp://user:secret@127.0.0.1:2525', false],
  ['smtp://user:secret@127.0.0.1.example', true],
  ['smtp://user:secret@localhost', false],
  ['smtp://user:secret@[::1]:25', false],
])('%s needs TLS: %s', (text, needsTls) => {
  expect(parseRelays(text)[0]).toMatchObject({ needsTls });
});
