import { randomBytes } from 'node:crypto';
import { PageTokens, type SearchIdentity } from './page-token';

const identity: SearchIdentity = { tenant: 'acme', kinds: ['email', 'document'], query: 'words', filters: ['a:b'], sort: 'newest' };
const position = { from: 'postgres', position: 'x'.repeat(2000), askedAt: 1_700_000_000_123 };
const key = randomBytes(32);
const tokens = new PageTokens(key, 60);

afterEach(() => jest.useRealTimers());

const notOfThisSearch = expect.objectContaining({
  reason: 'INVALID_ARGUMENT',
  details: { violations: [{ field: 'page_token', description: 'must be the next_page_token of an answer to the same search' }] },
}) as unknown;

const errorOf = (open: () => unknown): unknown => {
  try {
    return { opened: open() };
  } catch (error) {
    return error;
  }
};

test('gives back what was sealed, to the same search, in every process that has the key', () => {
  const token = tokens.seal(identity, position);
  expect(new PageTokens(key, 1).open(token, { ...identity, kinds: ['document', 'email'] })).toEqual(position);
});

test('tells nothing, and is another each time', () => {
  const token = tokens.seal(identity, position);
  expect(Buffer.from(token, 'base64url').toString('latin1')).not.toMatch(/postgres|xxx|acme/);
  expect(tokens.seal(identity, position)).not.toBe(token);
});

test.each<[string, Partial<SearchIdentity>]>([
  ['tenant', { tenant: 'other' }],
  ['kinds', { kinds: ['document'] }],
  ['query', { query: 'word' }],
  ['filters', { filters: [] }],
  ['sort', { sort: 'oldest' }],
])('is refused for another %s, in the words of one that is none', (_what, over) => {
  const token = tokens.seal(identity, position);
  expect(errorOf(() => tokens.open(token, { ...identity, ...over }))).toEqual(notOfThisSearch);
});

test('altered by one bit anywhere, cut, of another key, or made up: refused', () => {
  const bytes = Buffer.from(tokens.seal(identity, { ...position, position: 'short' }), 'base64url');
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes);
    altered[at]! ^= 1;
    expect(errorOf(() => tokens.open(altered.toString('base64url'), identity))).toEqual(notOfThisSearch);
  }
  const foreign = new PageTokens(randomBytes(32), 60).seal(identity, position);
  for (const token of [bytes.subarray(0, 20).toString('base64url'), foreign, 'a', 'x'.repeat(100_000), '€']) {
    expect(errorOf(() => tokens.open(token, identity))).toEqual(notOfThisSearch);
  }
});

test('ends after its time; whose it is comes first', () => {
  jest.useFakeTimers({ now: 1_700_000_000_000 });
  const token = tokens.seal(identity, position);
  jest.setSystemTime(1_700_000_059_999);
  expect(tokens.open(token, identity)).toEqual(position);
  jest.setSystemTime(1_700_000_060_000);
  expect(errorOf(() => tokens.open(token, identity))).toMatchObject({ reason: 'PAGE_TOKEN_EXPIRED' });
  expect(errorOf(() => tokens.open(token, { ...identity, tenant: 'other' }))).toEqual(notOfThisSearch);
});
