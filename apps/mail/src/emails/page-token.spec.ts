import { formatPageToken, parsePageToken } from './page-token';

const ID = '0190a0b0-1234-7abc-8def-0123456789ab';
const FILTER = { status: 'queued', fromAddress: 'a@example.com' };

test('a token leads to where its page ended, with the same filter', () => {
  const token = formatPageToken(ID, FILTER);
  expect(token).toMatch(/^[\w-]{32}$/);
  expect(parsePageToken(token, { ...FILTER })).toBe(ID);
});

test('none is the first page', () => {
  expect(parsePageToken('', FILTER)).toBeUndefined();
});

test('with another filter it would skip mails without a word: refused', () => {
  const token = formatPageToken(ID, FILTER);
  for (const filter of [{}, { ...FILTER, status: 'sent' }, { status: 'queued' }, undefined, null]) {
    expect(() => parsePageToken(token, filter ?? {})).toThrow(expect.objectContaining({ reason: 'INVALID_ARGUMENT' }));
  }
});

test.each([
  'x',
  ID,
  'A'.repeat(32),
  `${formatPageToken(ID, FILTER)}AAAA`,
  formatPageToken(ID, FILTER).slice(0, -1),
  '=',
  ' ',
  '\0',
  'x'.repeat(1e6),
])('%#: anything else is refused by its field', (token) => {
  expect(() => parsePageToken(token, FILTER)).toThrow(
    expect.objectContaining({ reason: 'INVALID_ARGUMENT', details: { violations: [expect.objectContaining({ field: 'page_token' })] } }),
  );
});
