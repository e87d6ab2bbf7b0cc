import type { DocumentChange, SearchQuestion } from '../search.engine';
import { EngineUnavailableError, PositionLostError } from '../search.engine';
import { ElasticsearchClient } from './elasticsearch.client';
import { ElasticsearchEngine } from './elasticsearch.engine';
import { FakeElasticsearch, type Recorded } from './fake-elasticsearch.fixture';
import { tenantQuery } from './tenant-query';

const question = (over: Partial<SearchQuestion> = {}): SearchQuestion => ({
  tenant: 'acme',
  kinds: ['document'],
  where: { kind: 'all', of: [] },
  sort: 'relevance',
  limit: 10,
  offset: 0,
  facets: [],
  signal: new AbortController().signal,
  timeoutMs: 1000,
  ...over,
});
const change = (id: string): DocumentChange => ({
  change: 'index',
  document: { tenant: 'acme', id, kind: 'document', title: '', content: '', url: '', attributes: {}, timestamp: 0, version: 1 },
});
const shards = { total: 2, successful: 1, failed: 1 };
const queryOf = ({ body }: Recorded) => (JSON.parse(body) as { query?: { bool?: Record<string, unknown> } }).query;

let fake: FakeElasticsearch;
let engine: ElasticsearchEngine;
beforeEach(async () => {
  fake = new FakeElasticsearch();
  await fake.start();
  engine = new ElasticsearchEngine(fake.settings());
});
afterEach(async () => {
  await engine.close();
  await fake.stop();
});

describe('tenants', () => {
  test('no query leaves without the tenant, the kinds and the deletions, whatever is asked', async () => {
    const hostile: SearchQuestion['where'][] = [
      { kind: 'all', of: [] },
      { kind: 'any', of: [] },
      { kind: 'not', of: { kind: 'all', of: [] } },
      {
        kind: 'any',
        of: [
          { kind: 'equals', field: 'tenant', values: ['other'] },
          { kind: 'text', text: 'x', match: 'phrase' },
        ],
      },
      { kind: 'range', field: 'deleted_at', comparison: '>', value: 0 },
    ];
    for (const where of hostile) {
      await engine.search(question({ where, facets: ['tenant', 'kind'] }));
      await engine.search(question({ where, after: '["snapshot",1,2,"x"]' }));
    }
    await engine.findable('acme', ['document'], ['a', 'b']);
    const asked = fake.sentTo('/_search');
    expect(asked).toHaveLength(2 * hostile.length + 1);
    for (const each of asked) {
      expect(queryOf(each)?.bool).toMatchObject({
        filter: [{ term: { tenant: 'acme' } }, { terms: { kind: ['document'] } }],
        must_not: [{ exists: { field: 'deleted_at' } }],
        must: [expect.anything()],
      });
      expect(JSON.parse(each.body)).not.toHaveProperty('post_filter');
    }
  });

  test('what asks without a tenant sees checkpoints and old deletions only', async () => {
    await engine.prepare();
    await engine.write([change('a')]);
    await engine.publish();
    await engine.saveCheckpoint({ source: 's', checkpoint: 'c', throughMs: 1 });
    await engine.checkpoints();
    await engine.forgetDeletions(7);
    const withQuery = fake.recorded.filter(({ body }) => body.includes('"query"'));
    expect(withQuery.map(({ path }) => path.split('?')[0])).toEqual(['/fake-read/_search', '/fake-write/_delete_by_query']);
    expect(withQuery.map(queryOf)).toEqual([
      { bool: { filter: [{ exists: { field: 'source' } }], must_not: [{ exists: { field: 'tenant' } }] } },
      { bool: { filter: [{ range: { deleted_at: { lt: expect.any(Number) } } }] } },
    ]);
  });

  test('a query is not sent in another way', () => {
    const client = new ElasticsearchClient(fake.settings());
    for (const path of ['/_search', '/fake-read/_search', '/fake-read/_count', '/_msearch', '/x/_update_by_query', '/_reindex']) {
      expect(() => client.request({ method: 'POST', path, body: { query: { match_all: {} } } })).toThrow('belongs to a tenant');
    }
    expect(() => tenantQuery({ tenant: '', kinds: ['email'] }, {})).toThrow('without a tenant');
    expect(fake.recorded).toEqual([]);
  });
});

describe('an answer that is not whole', () => {
  const hit = {
    _score: 1,
    _source: { id: 'a', kind: 'document', title: '', beginning: '', url: '', attributes: {}, timestamp: 0 },
    sort: [0, 'a'],
  };
  const answers = (timed_out: boolean, failed: boolean, hits: object[]) => {
    fake.reply = ({ path }) =>
      path.startsWith('/_search')
        ? {
            body: {
              timed_out,
              _shards: failed ? shards : { total: 2, failed: 0 },
              hits: { total: { value: hits.length, relation: 'eq' }, hits },
            },
          }
        : undefined;
  };

  test('says how many shards did not answer', async () => {
    answers(false, true, [hit]);
    expect(await engine.search(question())).toMatchObject({ degraded: '1 of 2 shards did not answer', hits: [{ id: 'a' }] });
  });

  test('says that the time ran out', async () => {
    answers(true, false, [hit]);
    expect(await engine.search(question())).toMatchObject({ degraded: expect.stringContaining('ran out of time') });
  });

  test('is an error where nothing was found in the rest', async () => {
    answers(false, true, []);
    await expect(engine.search(question())).rejects.toThrow(EngineUnavailableError);
    answers(true, false, []);
    await expect(engine.search(question())).rejects.toThrow(EngineUnavailableError);
  });

  test('checkpoints of a part of the shards are none', async () => {
    fake.reply = ({ path }) => (path.includes('_search') ? { body: { timed_out: false, _shards: shards, hits: { hits: [] } } } : undefined);
    await expect(engine.checkpoints()).rejects.toThrow(EngineUnavailableError);
  });
});

describe('snapshots', () => {
  test('are shared while the index shows the same', async () => {
    for (let i = 0; i < 5; i++) await engine.search(question());
    await Promise.all(Array.from({ length: 20 }, () => engine.search(question())));
    expect(fake.sentTo('/_pit')).toHaveLength(1);
  });

  test('a refresh by anybody makes another one', async () => {
    let refreshes = 0;
    fake.reply = ({ path }) =>
      path.includes('/_stats/refresh')
        ? { body: { _shards: { successful: 1 }, indices: { x: { uuid: 'u', total: { refresh: { external_total: ++refreshes } } } } } }
        : undefined;
    for (let i = 0; i < 3; i++) await engine.search(question());
    expect(fake.sentTo('/_pit').filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  test('one that is gone is taken anew for a first page, and is a lost position for a further one', async () => {
    const gone = { status: 404, body: { error: { type: 'search_phase_execution_exception' }, status: 404 } };
    fake.reply = ({ path }, times) => (path.startsWith('/_search') && times === 1 ? gone : undefined);
    expect(await engine.search(question())).toMatchObject({ total: 0 });
    fake.reply = ({ path }) => (path.startsWith('/_search') ? gone : undefined);
    await expect(engine.search(question({ after: '["snapshot",1,"x"]' }))).rejects.toThrow(PositionLostError);
  });

  test('one whose shards are gone is a lost position where others answer, and an outage where none do', async () => {
    fake.reply = ({ path }) => (path.startsWith('/_search') ? { status: 503 } : undefined);
    await expect(engine.search(question({ after: '["snapshot",1,"x"]' }))).rejects.toThrow(PositionLostError);
    fake.reply = ({ path }) => (path.startsWith('/_search') || path.includes('/_pit') ? { status: 503 } : undefined);
    await expect(engine.search(question({ after: '["snapshot",1,"x"]' }))).rejects.toThrow(EngineUnavailableError);
  });

  test.each(['', '{}', '[]', '["a"]', '["a",{}]', '[1,2]', 'null'])('a position that is none (%s) is lost', async (after) => {
    await expect(engine.search(question({ after }))).rejects.toThrow(PositionLostError);
  });
});

describe('bulk', () => {
  const item = (status: number, type?: string) => ({ index: { status, ...(type ? { error: { type } } : { result: 'created' }) } });

  test('only items that were refused for now are sent again', async () => {
    fake.reply = ({ path }, times) =>
      path.includes('/_bulk')
        ? {
            body: {
              items:
                times === 1
                  ? [item(201), item(429, 'es_rejected_execution_exception'), item(400, 'document_parsing_exception')]
                  : [item(201)],
            },
          }
        : undefined;
    expect(await engine.write([change('a'), change('b'), change('c')])).toEqual(['created', 'created', expect.any(Error)]);
    expect(fake.sentTo('/_bulk').map(({ body }) => [...body.matchAll(/"id":"(\w)"/g)].map(([, id]) => id).join())).toEqual(['a,b,c', 'b']);
  });

  test('never makes an index up', async () => {
    await engine.write([change('a')]);
    expect(fake.sentTo('/_bulk')[0]?.path).toContain('require_alias=true');
  });

  test('an error says nothing of the index', async () => {
    fake.reply = ({ path }) =>
      path.includes('/_bulk')
        ? { body: { items: [{ index: { status: 400, error: { type: 'strict_dynamic_mapping_exception', reason: 'in fake-v1' } } }] } }
        : undefined;
    const [error] = await engine.write([change('a')]);
    expect((error as Error).message).not.toContain('fake-v1');
  });
});
