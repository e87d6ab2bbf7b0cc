import { magicOf, magicRecipients, mostDrastic } from './magic-recipients';

test.each(['bounced@example.com', 'Bounced@other.example', 'bounced+anything@example.com', 'BOUNCED+@x.example'])(
  '%s bounces',
  (address) => {
    expect(magicOf(address)).toMatchObject({ name: 'bounced', times: Infinity });
  },
);

test.each([
  'recipient@example.com',
  'bounced.x@example.com',
  'xbounced@example.com',
  'recipient+bounced@example.com',
  'a@bounced.example',
  '',
])('%s is as any other', (address) => {
  expect(magicOf(address)).toBeUndefined();
});

test.each([
  ['slow@example.com', { waitSeconds: 10, times: Infinity }],
  ['slow+30@example.com', { waitSeconds: 30, times: Infinity }],
  ['slow+0@example.com', { waitSeconds: 1 }],
  ['slow+99999999999999999999@example.com', { waitSeconds: 120 }],
  ['slow+30x@example.com', { waitSeconds: 10 }],
  ['greylisted@example.com', { times: 1 }],
  ['greylisted+3@example.com', { times: 3 }],
  ['drop-after-dot+2@example.com', { times: 2 }],
  ['drop-after-dot+2@example.com', { name: 'drop-after-dot' }],
])('the number in the tag: %s', (address, expected) => {
  expect(magicOf(address)).toMatchObject(expected);
});

test('of several, the most drastic is done', () => {
  const done = (...names: string[]) => mostDrastic(names.flatMap((name) => magicOf(`${name}@example.com`) ?? []))?.name;
  expect(done('slow', 'rejected')).toBe('rejected');
  expect(done('drop-after-dot', 'rejected', 'slow')).toBe('drop-after-dot');
  expect(done('drop-after-dot', 'drop-before-data')).toBe('drop-before-data');
  expect(done('recipient')).toBeUndefined();
});

test('every name is there once', () => {
  const names = magicRecipients.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
