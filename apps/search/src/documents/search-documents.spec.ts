import { randomBytes } from 'node:crypto';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { ListEmailsRequest } from '@sky-genesis/proto';
import { EngineUnavailableError } from '../engines/search.engine';
import { PreparedEngine } from '../health/prepared.engine';
import { callerOf } from './caller.fixture';
import type { SearchQuery } from './check-search';
import { DegradedSearch } from './degraded-search';
import { FakeEngine } from './engine.fixture';
import { FindableQueue } from './findable.queue';
import { IndexedThrough } from './indexed-through';
import { PageTokens } from './page-token';
import { SearchDocuments } from './search-documents';

const acme = callerOf('acme');
const ASKED: SearchQuery = {
  query: '',
  filters: [],
  limit: 0,
  offset: 0,
  pageToken: '',
  facets: [],
  sort: '',
  waitForId: '',
  kinds: [],
};

let engine: FakeEngine;
let prepared: PreparedEngine;
let listed: ListEmailsRequest[];
let mailFails: Error | undefined;
beforeEach(async () => {
  engine = new FakeEngine();
  prepared = new PreparedEngine(engine);
  await prepared.check();
  listed = [];
  mailFails = undefined;
});

function ruleWith(answerBytes = 1_000_000): SearchDocuments {
  const mail = {
    listEmails: async (request: ListEmailsRequest) => {
      listed.push(request);
      if (mailFails) throw mailFails;
      const timestamps = [300, 200, 100];
      const emails = timestamps.map((timestamp, i) => ({
        id: `msg_${i}`,
        from: 'a@example.com',
        to: [],
        subject: `s${i}`,
        snippet: '',
        timestamp: String(timestamp),
        attachmentCount: 0,
        status: 'sent',
      }));
      return { emails: emails.slice(0, request.pageSize), nextPageToken: 'next' };
    },
  };
  const tokens = new PageTokens(randomBytes(32), 600);
  const limits = { answerBytes, timeoutMs: 30_000 };
  return new SearchDocuments(prepared, new IndexedThrough(prepared), new FindableQueue(prepared), new DegradedSearch(mail), tokens, limits);
}

const call = (ms = Infinity) => ({ authorization: 'Bearer t', deadline: Date.now() + ms, signal: new AbortController().signal });
const search = (over: Partial<SearchQuery> = {}, ms?: number, rule = ruleWith()) => rule.search({ ...ASKED, ...over }, acme, call(ms));

async function write(count: number, content = ''): Promise<void> {
  const documents = Array.from({ length: count }, (_, i) => ({
    tenant: 'acme',
    id: `d${String(i).padStart(2, '0')}`,
    kind: 'document' as const,
    title: 'word',
    content,
    url: '',
    attributes: { long: ['x'.repeat(1000)] },
    timestamp: 0,
    version: 1,
  }));
  await engine.write(documents.map((document) => ({ change: 'index', document })));
}

test('ten results from the first on, unless something else is asked for', async () => {
  await write(12);
  const found = await search();
  expect(found.hits).toHaveLength(10);
  expect(found.nextPageToken).not.toBe('');
  expect(engine.searches[0]).toMatchObject({ tenant: 'acme', kinds: ['email', 'document'], sort: 'relevance', limit: 10, offset: 0 });
  expect((await search({ limit: 3, offset: 11 })).hits.map(({ id }) => id)).toEqual(['d11']);
});

test('an engine is given two thirds of the time, and a second where it did not answer before', async () => {
  await search({}, 9000);
  expect(engine.searches[0]?.timeoutMs).toBeLessThanOrEqual(6000);
  expect(engine.searches[0]?.timeoutMs).toBeGreaterThan(5000);
  engine.away = true;
  await prepared.check();
  engine.away = false;
  await search({}, 9000);
  expect(engine.searches[1]?.timeoutMs).toBe(1000);
});

test('how far the feeds are is read before the search, and the least is told', async () => {
  await engine.saveCheckpoint({ source: 'mail', checkpoint: 'a', throughMs: 2000 });
  await engine.saveCheckpoint({ source: 'files', checkpoint: 'b', throughMs: 1000 });
  engine.beforeSearch = () => engine.saveCheckpoint({ source: 'files', checkpoint: 'c', throughMs: 3000 });
  expect((await search()).indexedThroughMs).toBe(1000);
});

test('what does not fit into an answer is on the next page', async () => {
  await write(10, 'x'.repeat(300));
  const rule = ruleWith(4000);
  const found: string[] = [];
  let pageToken = '';
  let pages = 0;
  do {
    const page = await search({ pageToken }, undefined, rule);
    expect(page.hits.length).toBeLessThan(3);
    expect(page.total).toBe(10);
    found.push(...page.hits.map(({ id }) => id));
    pageToken = page.nextPageToken;
    pages++;
  } while (pageToken !== '');
  expect(found).toEqual(Array.from({ length: 10 }, (_, i) => `d0${i}`));
  expect(pages).toBeGreaterThanOrEqual(5);
});

test('relative times mean the same on every page', async () => {
  await write(3);
  jest.useFakeTimers({ now: 1_700_000_000_000, doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  try {
    const rule = ruleWith();
    const query = '-older_than:1d';
    engine.beforeSearch = (question) => {
      wheres.push(JSON.stringify(question.where));
      (question as { where: unknown }).where = { kind: 'all', of: [] };
    };
    const wheres: string[] = [];
    const { nextPageToken } = await search({ query, limit: 1 }, undefined, rule);
    jest.setSystemTime(1_700_000_300_000);
    await search({ query, limit: 1, pageToken: nextPageToken }, undefined, rule);
    await search({ query, limit: 1 }, undefined, rule);
    expect(wheres[1]).toBe(wheres[0]);
    expect(wheres[2]).not.toBe(wheres[0]);
  } finally {
    jest.useRealTimers();
  }
});

test('an engine that answers in part says so; nothing found in a part is no answer', async () => {
  engine.degraded = 'one of 3 shards did not answer';
  await expect(search()).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  await write(1);
  expect((await search()).degraded).toBe('one of 3 shards did not answer');
});

test('an error of the engine that is none of its being away is no reason to ask mail', async () => {
  engine.beforeSearch = () => {
    throw new Error('a defect');
  };
  await expect(search()).rejects.toThrow('a defect');
  expect(listed).toEqual([]);
});

describe('without its engine', () => {
  beforeEach(() => {
    engine.beforeSearch = () => {
      throw new EngineUnavailableError();
    };
  });

  test('mail lists what the offset leaves out, too, and it is left out here', async () => {
    const found = await search({ limit: 2, offset: 1 });
    expect(listed[0]).toMatchObject({ pageSize: 3, pageToken: '' });
    expect(found.hits.map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
    expect(found).toMatchObject({ total: 4, totalIsLowerBound: true, indexedThroughMs: 0 });
  });

  test('what is older than asked for is left out, and ends the pages', async () => {
    const found = await search({ filters: ['timestamp:>=150'] });
    expect(listed[0]).toMatchObject({ createdAfter: '149' });
    expect(found.hits.map(({ timestamp }) => timestamp)).toEqual([300, 200]);
    expect(found).toMatchObject({ total: 2, totalIsLowerBound: false, nextPageToken: '' });
  });

  test('nothing in the list is no answer: what was asked for may be what mail does not have', async () => {
    await expect(search({ filters: ['timestamp:>=1000'] })).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  });

  test.each([
    ['SERVICE_UNAVAILABLE', 'SEARCH_UNAVAILABLE'],
    ['INVALID_ARGUMENT', 'SEARCH_UNAVAILABLE'],
    ['INTERNAL', 'SEARCH_UNAVAILABLE'],
    ['UNAUTHENTICATED', 'UNAUTHENTICATED'],
    ['CANCELLED', 'CANCELLED'],
  ] as const)('mail’s %s is told as %s', async (reason, told) => {
    mailFails = new RuleError(reason);
    await expect(search()).rejects.toMatchObject({ reason: told });
  });

  test('a mail that was waited for may be in the list; a document cannot be', async () => {
    engine.away = true;
    expect((await search({ waitForId: 'msg_1' })).hits).toHaveLength(3);
    await expect(search({ waitForId: 'doc_1' })).rejects.toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
  });
});
