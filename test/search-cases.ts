/** What a wire is asked with: `own` may do everything, the others lack what their name says. */
export type CaseToken = 'own' | 'none' | 'without search' | 'without mail';

/** What each token may do, where there is one. */
export const scopesOf: Record<Exclude<CaseToken, 'none'>, string> = {
  own: 'mail.read search.read search.write',
  'without search': 'mail.send mail.read',
  'without mail': 'search.read search.write',
};

/** A search as the contract's JSON has it. */
export interface SearchAsked {
  query?: string;
  filters?: string[];
  limit?: number;
  offset?: number;
  pageToken?: string;
  facets?: string[];
  sort?: string;
  waitForId?: string;
  kinds?: string[];
}

/** Why a case is refused, and the fields as the contract names them. */
export interface Refused {
  reason: string;
  fields?: string[];
}

/** One search, and what every wire must answer. */
export interface SearchCase {
  what: string;
  asked: SearchAsked;
  token?: CaseToken;
  /** The time that the caller has. */
  timeoutMs?: number;
  /** Ids, in order where `sort` is asked for; left out: whatever it is, it is the same on every wire. */
  found?: string[];
  /** Where there are more than `found`. */
  total?: number;
  facets?: Record<string, Record<string, number>>;
  /** Fragments of the first result have this. */
  highlight?: string;
  refused?: Refused;
}

/** A document as the contract's JSON has it, its attributes as lists. */
export interface CaseDocument {
  id: string;
  title?: string;
  content?: string;
  url?: string;
  attributes?: Record<string, string[]>;
  timestamp?: number;
  version?: number;
}

const day = (number: number): number => 1_640_995_200 + (number - 1) * 86_400;

/** What the searches are about: alone in its tenant. */
export const documents: CaseDocument[] = [
  {
    id: 'doc_1',
    title: 'Enterprise Architecture',
    content: 'Enterprise architecture overview...',
    url: '/docs/architecture',
    attributes: { department: ['it'], pages: ['12'], tags: ['overview', 'architecture'] },
    timestamp: day(1),
  },
  {
    id: 'doc_2',
    title: 'Annual report',
    content: 'The enterprise grew by a third. Numbers <script>alert("x")</script> & more.',
    url: '/docs/report',
    attributes: { department: ['finance'], pages: ['90'] },
    timestamp: day(2),
  },
  {
    id: 'doc_3',
    title: 'Invoice 4711',
    content: 'Please pay within thirty days.',
    attributes: {
      department: ['finance'],
      from: ['Alice Miller <alice@example.com>'],
      to: ['bob@example.com'],
      filename: ['invoice.pdf'],
      has_attachment: ['true'],
      size: ['20480'],
      status: ['sent'],
    },
    timestamp: day(3),
  },
  {
    id: 'döc/4 100%',
    title: 'Crème brûlée',
    content: 'Ein Rezept aus der Straße am Fluß.',
    attributes: { department: ['kitchen', 'it'], size: ['500'] },
    timestamp: day(4),
  },
  {
    id: 'doc_5',
    title: '東京都の天気',
    content: '今日は晴れです。서울 날씨',
    attributes: { department: ['weather'], pages: ['3'] },
    timestamp: day(5),
  },
  { id: 'doc_6', title: 'تقرير سنوي 🚀', content: 'שלום עולם', attributes: { department: ['weather'] }, timestamp: day(6) },
];

const found = (what: string, asked: SearchAsked, ids: string[], more: Partial<SearchCase> = {}): SearchCase => ({
  what,
  asked,
  found: ids,
  ...more,
});
const wrong = (what: string, asked: SearchAsked, ...fields: string[]): SearchCase => ({
  what,
  asked,
  refused: { reason: 'INVALID_ARGUMENT', fields },
});
/** Answered or refused: the same on every wire. */
const same = (query: string): SearchCase => ({ what: `whatever a person types: ${query.slice(0, 40)}`, asked: { query } });

const ALL_BY_TIME = ['doc_1', 'doc_2', 'doc_3', 'döc/4 100%', 'doc_5', 'doc_6'];

export const searchCases: SearchCase[] = [
  found("the seed's request", { query: 'enterprise', limit: 10, offset: 0 }, ['doc_1', 'doc_2']),
  found('nothing asked for', {}, ALL_BY_TIME),
  found('the oldest first', { sort: 'oldest' }, ALL_BY_TIME),
  found('the newest first', { sort: 'newest' }, ALL_BY_TIME.toReversed()),
  found('a part in the middle', { sort: 'oldest', limit: 2, offset: 3 }, ['döc/4 100%', 'doc_5'], { total: 6 }),
  found('behind the end', { sort: 'oldest', offset: 10_000 }, [], { total: 6 }),
  found('nothing', { query: 'nowhere' }, []),
  found('a phrase', { query: '"enterprise architecture"' }, ['doc_1']),
  found('words that must all hold', { query: 'enterprise grew' }, ['doc_2']),
  found('a word that must not be', { query: 'enterprise -architecture' }, ['doc_2']),
  found('one of two', { query: 'invoice OR rezept' }, ['doc_3', 'döc/4 100%']),
  found('a beginning', { query: 'archit*' }, ['doc_1']),
  found('a word that is not quite right', { query: 'architcture~' }, ['doc_1']),
  found('from:', { query: 'from:alice' }, ['doc_3']),
  found('to: with an address', { query: 'to:bob@example.com' }, ['doc_3']),
  found('subject:', { query: 'subject:report' }, ['doc_2']),
  found('body:', { query: 'body:thirty' }, ['doc_3']),
  found('filename:', { query: 'filename:invoice.pdf' }, ['doc_3']),
  found('has:', { query: 'has:attachment' }, ['doc_3']),
  found('is:', { query: 'is:sent' }, ['doc_3']),
  found('larger:', { query: 'larger:10K' }, ['doc_3']),
  found('smaller:', { query: 'smaller:10K' }, ['döc/4 100%']),
  found('before:', { query: 'before:2022-01-02' }, ['doc_1']),
  found('after: and before:', { query: 'after:2022-01-03 before:2022-01-05' }, ['doc_3', 'döc/4 100%']),
  found('without accents', { query: 'creme brulee' }, ['döc/4 100%']),
  found('ss for ß', { query: 'strasse' }, ['döc/4 100%']),
  found('Han', { query: '東京' }, ['doc_5']),
  found('Hangul', { query: '날씨' }, ['doc_5']),
  found('Arabic', { query: 'تقرير' }, ['doc_6']),
  found('Hebrew', { query: 'שלום' }, ['doc_6']),
  found('an emoji', { query: '🚀' }, ['doc_6']),
  found('a filter', { filters: ['department:finance'] }, ['doc_2', 'doc_3']),
  found('a filter with two values', { filters: ['department:it|kitchen'] }, ['doc_1', 'döc/4 100%']),
  found('two filters', { filters: ['department:it', 'pages:>=10'] }, ['doc_1']),
  found('a filter that compares', { filters: ['pages:<90'] }, ['doc_1', 'doc_5']),
  found('a filter by time', { filters: ['timestamp:>=2022-01-05'] }, ['doc_5', 'doc_6']),
  found('a filter by id', { filters: ['id:döc/4 100%'] }, ['döc/4 100%']),
  found('a filter and words', { query: 'enterprise', filters: ['department:finance'] }, ['doc_2']),
  found('a kind that is not there', { kinds: ['email'] }, []),
  found('both kinds', { query: 'invoice', kinds: ['email', 'document'] }, ['doc_3']),
  found('who may not read mail finds documents', { query: 'invoice' }, ['doc_3'], { token: 'without mail' }),
  found('counts', { query: 'enterprise OR invoice', facets: ['department', 'kind', 'nowhere'] }, ['doc_1', 'doc_2', 'doc_3'], {
    facets: { department: { finance: 2, it: 1 }, kind: { document: 3 }, nowhere: {} },
  }),
  found('what is waited for is there', { query: 'invoice', waitForId: 'doc_3' }, ['doc_3']),
  found('a highlight', { query: 'grew' }, ['doc_2'], { highlight: '<mark>grew</mark>' }),
  found('a highlight beside what would be HTML', { query: 'numbers' }, ['doc_2'], { highlight: '<mark>Numbers</mark> &lt;script&gt;' }),

  same('*:*'),
  same('"'),
  same('a"b"c "" " "'),
  same('((((((('),
  same('-'),
  same('OR OR OR'),
  same('{"query":{"match_all":{}}}'),
  same('title:(a AND b)^2 /re.*gex/ [1 TO 5] \\'),
  same("' or 1=1; drop table document; --"),
  same('<script>alert("x")</script>'),
  same('from: to: cc:'),
  same('nosuchoperator:value'),
  same('\u0000\u0001'),
  same('a\r\nb\tc'),
  same('\u202eabc\u202c \u200b'),
  same('🏳️‍🌈👩‍👩‍👧'),

  wrong('a query that is too long', { query: 'x'.repeat(1025) }, 'query'),
  wrong('a query of 10,000 characters', { query: 'a '.repeat(5000) }, 'query'),
  wrong('too many clauses', { query: Array.from({ length: 65 }, (_, at) => `w${at}`).join(' ') }, 'query'),
  wrong('a size that is none', { query: 'larger:big' }, 'query'),
  wrong('a day that is none', { query: 'before:2022-13-45' }, 'query'),
  wrong('a state that is none', { query: 'is:lost' }, 'query'),
  wrong('a limit that is too high', { limit: 101 }, 'limit'),
  wrong('a limit that is too low', { limit: -1 }, 'limit'),
  wrong('an offset that is too high', { offset: 10_001 }, 'offset'),
  wrong('an offset that is too low', { offset: -1 }, 'offset'),
  wrong('an order that is none', { sort: 'best' }, 'sort'),
  wrong('a filter without a field', { filters: ['nothing'] }, 'filters[0]'),
  wrong('the second of two filters', { filters: ['department:it', 'pages:>=many'] }, 'filters[1]'),
  wrong('too many filters', { filters: Array.from({ length: 33 }, (_, at) => `a:${at}`) }, 'filters'),
  wrong('a facet of words', { facets: ['title'] }, 'facets[0]'),
  wrong('a facet twice', { facets: ['kind', 'kind'] }, 'facets[1]'),
  wrong('too many facets', { facets: Array.from({ length: 11 }, (_, at) => `a${at}`) }, 'facets'),
  wrong('a kind that is none', { kinds: ['document', 'mail'] }, 'kinds[1]'),
  wrong('a page token that is none', { pageToken: 'abc' }, 'page_token'),
  wrong('a page token of junk', { pageToken: 'A'.repeat(4000) }, 'page_token'),
  wrong('to wait for what cannot be an id', { waitForId: 'x'.repeat(257) }, 'wait_for_id'),
  wrong(
    'everything at once',
    { query: 'is:lost', filters: ['x'], limit: 101, facets: ['title'], sort: 'best', kinds: ['mail'], waitForId: 'a\nb' },
    'query',
    'filters[0]',
    'limit',
    'facets[0]',
    'sort',
    'kinds[0]',
    'wait_for_id',
  ),
  { what: 'to wait for what never comes', asked: { waitForId: 'never' }, timeoutMs: 1500, refused: { reason: 'NOT_FINDABLE_YET' } },
  { what: 'no token', asked: { query: 'enterprise' }, token: 'none', refused: { reason: 'UNAUTHENTICATED' } },
  { what: 'no scope', asked: { query: 'enterprise' }, token: 'without search', refused: { reason: 'SCOPE_MISSING' } },
  { what: 'emails without their scope', asked: { kinds: ['email'] }, token: 'without mail', refused: { reason: 'SCOPE_MISSING' } },
];
