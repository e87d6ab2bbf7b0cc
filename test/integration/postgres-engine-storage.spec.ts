import { DatabaseClient, dataSourceOptions, runMigrations, type Statement } from '@sky-genesis/database';
import { DataSource } from 'typeorm';
import { searchDatabase } from '../../apps/search/src/database/search-database';
import { PostgresEngine } from '../../apps/search/src/engines/postgres/postgres.engine';
import { facetStatement, pageStatement, totalStatement } from '../../apps/search/src/engines/postgres/search.statement';
import { EngineUnavailableError } from '../../apps/search/src/engines/search.engine';
import { type Asked, deleted, type DocumentParts, idsOf, indexed, questionOf } from '../../apps/search/testing/engine-under-test';
import { createDatabase, type TestDatabase } from './test-database';

/** What the conformance suite cannot see: plans, rows, and what PostgreSQL itself bounds. */
let database: TestDatabase;
let dataSource: DataSource;
let client: DatabaseClient;
let engine: PostgresEngine;

beforeAll(async () => {
  database = await createDatabase();
  const settings = searchDatabase({ SEARCH_DATABASE_URL: database.url, SEARCH_DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 });
  await runMigrations(settings);
  dataSource = await new DataSource(dataSourceOptions(settings)).initialize();
  client = new DatabaseClient(dataSource);
  engine = new PostgresEngine(client);
  await engine.prepare();
});

afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

const write = (tenant: string, documents: readonly DocumentParts[]) => engine.write(documents.map((parts) => indexed(tenant, parts)));
const search = (tenant: string, asked: Asked) => engine.search(questionOf(tenant, asked));

describe('plans of 20,000 documents', () => {
  const documents = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => {
      const i = from + n;
      const words = Array.from({ length: 60 }, (_, j) => `w${(i * 31 + j * j * 7) % 3000}`).join(' ');
      const attributes = { from: [`person${i % 500}@example.com`], status: [i % 3 === 0 ? 'sent' : 'failed'], size: [String(i)] };
      return { id: `d${i}`, title: `title ${i % 100}`, content: `${i % 2 === 0 ? 'common ' : ''}${words}`, attributes, timestamp: i };
    });

  beforeAll(async () => {
    for (let from = 0; from < 20_000; from += 1000) await write('large', documents(from, 1000));
    await database.query('analyze document');
  }, 120_000);

  const planOf = async ({ text, values }: Statement): Promise<string> =>
    (await client.read<{ 'QUERY PLAN': string }>({ text: `explain ${text}`, values })).map((row) => row['QUERY PLAN']).join('\n');

  test.each([
    'w17',
    'common',
    'common w17',
    '"w17 w24"',
    'w1*',
    'from:person17',
    'subject:title',
    'body:common',
    'w17 is:sent',
    'w17 -is:sent',
    '-common',
    'common larger:10K',
    'titel~',
    'is:sent from:person3 -w17',
  ])('no scan of the table: %s', async (q) => {
    const question = questionOf('large', { q, facets: ['status'], limit: 20 });
    for (const statement of [pageStatement(question, undefined), totalStatement(question), facetStatement(question)]) {
      const plan = await planOf(statement);
      expect(plan).not.toContain('Seq Scan on document');
      if (!/~$|^-/.test(q)) expect(plan).toContain('document_search');
      // Whichever index it is, it is asked for the tenant.
      expect(plan).toMatch(/Index Cond: \(+tenant( \|\| ''::text)?\)* = 'large'/);
    }
  });

  test('the newest of all are read from the index on time', async () => {
    const plan = await planOf(pageStatement(questionOf('large', { limit: 20 }), undefined));
    expect(plan).toContain('Index Scan using document_timestamp');
    expect(plan).not.toContain('Sort Key: d."timestamp"');
  });
});

describe('where a document ranks', () => {
  const placed = async (tenant: string) =>
    (await database.query<{ xid: string }>('select placed_xid::text as xid from document where tenant = $1', [tenant]))[0]?.xid;
  const document = { id: 'd', title: 'title', content: 'content', attributes: { from: ['ann'], status: ['queued'] }, timestamp: 1 };

  test('is kept when its status alone changes', async () => {
    await write('status', [document]);
    const before = await placed('status');
    expect(await write('status', [{ ...document, attributes: { from: ['ann'], status: ['sent'] }, version: 2 }])).toEqual(['updated']);
    expect(await placed('status')).toBe(before);
    expect(idsOf(await search('status', { q: 'content is:sent' }))).toEqual(['d']);
  });

  test.each([
    ['title', { title: 'other' }],
    ['content', { content: 'other' }],
    ['time', { timestamp: 2 }],
    ['text attributes', { attributes: { from: ['bob'], status: ['queued'] } }],
    ['kind', { kind: 'email' as const }],
  ])('is new with its %s', async (name, change) => {
    await write(name, [document]);
    const before = await placed(name);
    await write(name, [{ ...document, ...change, version: 2 }]);
    expect(await placed(name)).not.toBe(before);
  });

  test('is new after a deletion', async () => {
    await write('deleted', [document]);
    const before = await placed('deleted');
    await engine.write([deleted('deleted', 'd', 2), indexed('deleted', { ...document, version: 3 })]);
    await engine.write([deleted('deleted', 'd', 4)]);
    await engine.write([indexed('deleted', { ...document, version: 5 })]);
    expect(await placed('deleted')).not.toBe(before);
  });
});

test('changes of one document in one call come out as if each were alone', async () => {
  const of = (version: number) => indexed('chain', { id: 'd', title: `v${version}`, version });
  expect(await engine.write([of(1), of(3), of(2), deleted('chain', 'd', 4), deleted('chain', 'd', 5), of(6), of(6)])).toEqual([
    'created',
    'updated',
    'unchanged',
    'deleted',
    'unchanged',
    'created',
    'unchanged',
  ]);
  expect(await engine.write([of(5), of(6), of(7), of(8)])).toEqual(['unchanged', 'unchanged', 'updated', 'updated']);
  expect((await search('chain', {})).hits).toMatchObject([{ title: 'v8' }]);
});

test('writers of the same documents in other orders end, and the highest version stays', async () => {
  const writes = Array.from({ length: 8 }, (_, version) => {
    const documents = Array.from({ length: 200 }, (_, i) => ({ id: `d${(i * (version + 1)) % 200}-${version % 3}`, version }));
    return write('race', documents);
  });
  const outcomes = (await Promise.all(writes)).flat();
  expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([]);
});

test('NUL and halves of characters do not break a write, nor what they stand beside', async () => {
  const odd = 'a\u0000b \ud800 c';
  expect(
    await write('odd', [{ id: 'd', title: odd, content: odd, url: odd, attributes: { from: [odd], note: [odd] } }, { id: 'e' }]),
  ).toEqual(['created', 'created']);
  expect(idsOf(await search('odd', { q: 'b' }))).toEqual(['d']);
  expect(idsOf(await search('odd', { where: { kind: 'equals', field: 'note', values: [odd] } }))).toEqual(['d']);
});

test('more different words than a tsvector holds: the first are found, the neighbours are written', async () => {
  const content = Array.from({ length: 150_000 }, (_, i) => `w${i.toString(36)}`).join(' ');
  expect(await write('megabyte', [{ id: 'before' }, { id: 'd', content }, { id: 'after' }])).toEqual(['created', 'created', 'created']);
  expect(idsOf(await search('megabyte', { q: '"w0 w1 w2"' }))).toEqual(['d']);
  expect(idsOf(await search('megabyte', { q: `w${(90_000).toString(36)}` }))).toEqual(['d']);
});

test('a document that cannot be kept fails alone', async () => {
  const id = 'x'.repeat(9000);
  const [before, failed, after] = await write('alone', [
    { id: 'a' },
    { id: Array.from(id, (_, i) => (i * 7919).toString(36)).join('') },
    { id: 'z' },
  ]);
  expect([before, after]).toEqual(['created', 'created']);
  expect(failed).toBeInstanceOf(Error);
});

test('a deletion is forgotten after its days, a document never', async () => {
  await engine.write([indexed('forget', { id: 'stays' }), indexed('forget', { id: 'gone' })]);
  await engine.write([deleted('forget', 'gone', 2)]);
  await database.query(`update document set deleted_at = now() - interval '8 days' where tenant = 'forget' and id = 'gone'`);
  expect(await engine.forgetDeletions(9)).toBe(0);
  expect(await engine.forgetDeletions(7)).toBe(1);
  expect(await engine.write([indexed('forget', { id: 'gone', version: 1 })])).toEqual(['created']);
  expect((await search('forget', {})).total).toBe(2);
});

describe('a search that takes too long', () => {
  /** Holds every search until it is released. */
  const locked = async (run: () => Promise<void>) => {
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query('lock table document in access exclusive mode');
    try {
      await run();
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  };
  const waiting = async () =>
    (
      await database.query<{ n: number }>(
        `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    )[0]?.n;
  const ended = async () => {
    for (let i = 0; i < 100 && (await waiting()) !== 0; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    return waiting();
  };

  test('ends with its time, in the database, too', async () => {
    await locked(async () => {
      await expect(search('t', { q: 'word', timeoutMs: 200 })).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
      expect(await ended()).toBe(0);
    });
    expect((await search('t', { q: 'word' })).total).toBe(0);
  });

  test('ends when its caller goes', async () => {
    await locked(async () => {
      const controller = new AbortController();
      const answer = search('t', { q: 'word', facets: ['status'], signal: controller.signal });
      setTimeout(() => controller.abort(), 100);
      await expect(answer).rejects.toMatchObject({ reason: 'CANCELLED' });
      expect(await ended()).toBe(0);
    });
  });
});

test('a database that is away is told as such', async () => {
  const other = await createDatabase();
  const settings = searchDatabase({ SEARCH_DATABASE_URL: other.url, SEARCH_DATABASE_POOL_SIZE: 4, GRPC_TIMEOUT: 30 });
  const source = await new DataSource(dataSourceOptions(settings)).initialize();
  const away = new PostgresEngine(new DatabaseClient(source));
  await other.drop();
  try {
    await expect(away.ping()).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.prepare()).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.search(questionOf('t', { q: 'word' }))).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.write([indexed('t', { id: 'd' })])).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.findable('t', ['document'], ['d'])).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.checkpoints()).rejects.toBeInstanceOf(EngineUnavailableError);
    await expect(away.forgetDeletions(7)).rejects.toBeInstanceOf(EngineUnavailableError);
  } finally {
    await source.destroy();
  }
});
