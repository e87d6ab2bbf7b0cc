import { toEmailListing } from './email-listing';
import { parseFilters } from './parse-filters';
import { parseQuery } from './parse-query';
import { allOf } from './query-tree';

const listing = (query: string, ...filters: string[]) => toEmailListing(allOf([parseQuery(query), parseFilters(filters)]));

test.each([
  ['', [], {}],
  ['from:alice@example.com', [], { from: 'alice@example.com' }],
  ['from:Alice.B+c_d-e@Mail.Example.com', [], { from: 'Alice.B+c_d-e@Mail.Example.com' }],
  ['to:bob@localhost', [], { to: 'bob@localhost' }],
  ['subject:invoice', [], { subject: 'invoice' }],
  ['subject:(invoice paid) subject:A4', [], { subject: 'invoice paid A4' }],
  ['is:sent', [], { status: 'sent' }],
  ['', ['status:failed'], { status: 'failed' }],
  ['', ['kind:email'], {}],
  [
    'from:a@b.example to:c@d.example subject:x is:sent before:2026-01-06 after:2026-01-05',
    ['kind:email'],
    {
      from: 'a@b.example',
      to: 'c@d.example',
      subject: 'x',
      status: 'sent',
      createdBefore: 1767657600,
      createdAfter: 1767571199,
      notBefore: 1767571200,
    },
  ],
])('%j %j is listed', (query, filters, expected) => {
  expect(listing(query, ...filters)).toEqual(expected);
});

test.each([
  ['word', []],
  ['"two words"', []],
  ['-from:a@b.example', []],
  ['from:a@b.example OR from:c@d.example', []],
  ['from:(a@b.example OR c@d.example)', []],
  ['from:alice', []],
  ['from:"Alice <a@b.example>"', []],
  ['from:a@b.example*', []],
  ['from:a@1.2.3.4', []],
  ['from:a@-b.example', []],
  ['from:a..b@c.example', []],
  [`from:${'a'.repeat(65)}@b.example`, []],
  [`from:a@${'b'.repeat(64)}.example`, []],
  [`from:a@${'b.'.repeat(125)}example`, []],
  ['from:ä@b.example', []],
  ['cc:a@b.example', []],
  ['bcc:a@b.example', []],
  ['from:a@b.example from:c@d.example', []],
  ['to:a@b.example to:c@d.example', []],
  ['subject:"two words"', []],
  ['subject:node.js', []],
  ['subject:foo-bar', []],
  ['subject:12', []],
  ['subject:café', []],
  ['subject:東京', []],
  ['subject:😀', []],
  ['subject:wor*', []],
  ['subject:word~', []],
  [`subject:${'x'.repeat(257)}`, []],
  ['body:x', []],
  ['filename:x', []],
  ['has:attachment', []],
  ['larger:1K', []],
  ['is:sent', ['status:failed']],
  ['is:(sent OR failed)', []],
  ['', ['status:sent|failed']],
  ['', ['status:unread']],
  ['', ['kind:document']],
  ['', ['kind:email|document']],
  ['', ['from:a@b.example']],
  ['', ['id:msg_1']],
  ['', ['metadata.a:b']],
  ['', ['size:>5']],
  ['before:2026 before:2027', []],
  ['after:2026 after:2027', []],
  ['before:1970', []],
])('%j %j is not', (query, filters) => {
  expect(listing(query, ...filters)).toBeUndefined();
});

test('nothing is older than the first second: 0 would stand for no bound', () => {
  expect(listing('', 'timestamp:>=1')).toEqual({ notBefore: 1 });
  expect(listing('', 'timestamp:>-5')).toEqual({ notBefore: -4 });
  expect(listing('', 'timestamp:>=2')).toEqual({ notBefore: 2, createdAfter: 1 });
});

test('alls within alls, as a caller may put them together, are listed too', () => {
  const nested = { kind: 'all', of: [parseQuery('is:sent subject:a'), parseFilters([])] } as const;
  expect(toEmailListing(nested)).toEqual({ status: 'sent', subject: 'a' });
});

test('subject words have room for 256 characters', () => {
  const words = (count: number) => `subject:(${'abcdefg '.repeat(count)}) subject:`;
  expect(listing(`${words(31)}abcdefgh`)).toHaveProperty('subject.length', 256);
  expect(listing(`${words(31)}abcdefghi`)).toBeUndefined();
});

/** As apps/mail does: exact times, exclusive bounds in whole seconds, 0 for none; then what the listing itself leaves out. */
function isListed(accepted: number, bounds: { createdAfter?: number; createdBefore?: number; notBefore?: number }): boolean {
  const { createdAfter = 0, createdBefore = 0, notBefore = -Infinity } = bounds;
  if (createdAfter !== 0 && accepted <= createdAfter) return false;
  if (createdBefore !== 0 && accepted >= createdBefore) return false;
  return Math.floor(accepted) >= notBefore;
}

test.each(['>', '>=', '<', '<='])('timestamp:%s lists the same mails as are found', (comparison) => {
  for (const bound of [1, 2, 3, 10, 10.5]) {
    const bounds = listing('', `timestamp:${comparison}${bound}`);
    for (const accepted of [0.5, 0.999, 1, 1.001, 1.999, 2, 2.5, 3, 8.999, 9, 9.001, 9.999, 10, 10.001, 10.5, 10.999, 11, 11.001, 12]) {
      const found = {
        '>': (a: number) => a > bound,
        '>=': (a: number) => a >= bound,
        '<': (a: number) => a < bound,
        '<=': (a: number) => a <= bound,
      };
      const isFound = found[comparison as '>'](Math.floor(accepted));
      expect([bound, accepted, isListed(accepted, bounds!)]).toEqual([bound, accepted, isFound]);
    }
  }
});
