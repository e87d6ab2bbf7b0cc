import { randomUUID } from 'node:crypto';
import { ElasticsearchClient } from '../../apps/search/src/engines/elasticsearch/elasticsearch.client';
import { ElasticsearchEngine } from '../../apps/search/src/engines/elasticsearch/elasticsearch.engine';
import { IndexKeeper } from '../../apps/search/src/engines/elasticsearch/index.keeper';
import { Rebuild, type RebuildProgress } from '../../apps/search/src/engines/elasticsearch/reindex-documents';
import { closeToWrites, WriteBlocks } from '../../apps/search/src/engines/elasticsearch/write-blocks';
import { type Answer, type DocumentChange, EngineUnavailableError } from '../../apps/search/src/engines/search.engine';
import { indexed, questionOf } from '../../apps/search/testing/engine-under-test';
import { sharedElasticsearch } from '../shared-elasticsearch';
import { eventually } from '../eventually';

const TENANT = 'acme';

describe('a rebuild of the index', () => {
  let url: string;
  let indexPrefix: string;
  let engine: ElasticsearchEngine;
  let client: ElasticsearchClient;
  let indices: IndexKeeper;

  beforeAll(async () => {
    url = await sharedElasticsearch();
  }, 240_000);

  beforeEach(async () => {
    indexPrefix = `reindex-${randomUUID()}`;
    // Two shards: each counts its writes by itself.
    const settings = { url, indexPrefix, shards: 2, replicas: 0, timeoutMs: 10_000 };
    engine = new ElasticsearchEngine(settings);
    client = new ElasticsearchClient(settings);
    indices = new IndexKeeper(client, settings);
    await engine.prepare();
  });

  afterEach(async () => {
    await engine.close();
    for (const { name } of await indices.indices()) await client.request({ method: 'DELETE', path: `/${name}` });
    await client.request({ method: 'DELETE', path: `/_index_template/${indexPrefix}` });
    await client.close();
  });

  const rebuild = (options: ConstructorParameters<typeof Rebuild>[2] = {}) =>
    new Rebuild(client, indices, { keepOldMs: 0, ...options }).run();
  const document = (i: number, version = 1): DocumentChange =>
    indexed(TENANT, { id: `d${i}`, title: `harbour ${version}`, content: `number ${i}`, attributes: { amount: [String(i)] }, version });
  const total = async (): Promise<number> => (await engine.search(questionOf(TENANT, { q: 'harbour', limit: 1 }))).total;
  const names = async () => (await indices.indices()).map(({ name }) => name);

  test('carries over documents, deletions, versions and checkpoints, and removes the old index', async () => {
    await engine.write(Array.from({ length: 450 }, (_, i) => document(i, 5)));
    await engine.write([{ change: 'delete', tenant: TENANT, id: 'd7', kind: 'document', version: 9 }]);
    await engine.saveCheckpoint({ source: 'mail', checkpoint: 'c', throughMs: 1234 });
    const told: RebuildProgress[] = [];
    const { from, to } = await rebuild({ progress: (progress) => told.push(progress) });
    expect([from, to]).toEqual([`${indexPrefix}-v1-000001`, `${indexPrefix}-v1-000002`]);
    expect(await names()).toEqual([to]);
    expect(told.at(-1)).toEqual({ copied: 451, total: 451 });
    expect(await total()).toBe(449);
    expect(await engine.checkpoints()).toEqual([{ source: 'mail', checkpoint: 'c', throughMs: 1234 }]);
    expect(await engine.write([document(7, 9), document(8, 5), document(8, 6), document(7, 10)])).toEqual([
      'unchanged',
      'unchanged',
      'updated',
      'created',
    ]);
    expect((await engine.search(questionOf(TENANT, { filters: ['amount:>=449'] }))).hits.map(({ id }) => id)).toEqual(['d449']);
  });

  test('while searches and writes go on: nothing acknowledged is missing at any moment, and no write fails', async () => {
    await engine.write(Array.from({ length: 3000 }, (_, i) => document(i)));
    await engine.publish();
    let going = true;
    let acknowledged = 3000;
    const faults: string[] = [];
    let answers = 0;
    const writing = (async () => {
      while (going) {
        const from = acknowledged;
        const outcomes = await engine.write(Array.from({ length: 20 }, (_, i) => document(from + i)));
        if (outcomes.some((outcome) => outcome !== 'created')) faults.push(`write at ${from}: ${outcomes.join()}`);
        await engine.publish();
        await engine.saveCheckpoint({ source: 'feed', checkpoint: String(from + 20), throughMs: from + 20 });
        acknowledged = from + 20;
      }
    })();
    const searching = (async () => {
      while (going) {
        const claimed = (await engine.checkpoints())[0]?.throughMs ?? 3000;
        const found = await total();
        answers++;
        if (found < claimed) faults.push(`${found} found, and ${claimed} were claimed`);
      }
    })();
    for (let round = 0; round < 3; round++) await rebuild();
    going = false;
    await Promise.all([writing, searching]);
    expect(faults).toEqual([]);
    expect(answers).toBeGreaterThan(10);
    expect(acknowledged).toBeGreaterThan(3000);
    expect(await total()).toBe(acknowledged);
    expect(await names()).toEqual([`${indexPrefix}-v1-000004`]);
  }, 60_000);

  test('who pages goes on in the old index for as long as it is kept', async () => {
    await engine.write(Array.from({ length: 60 }, (_, i) => document(i)));
    await engine.publish();
    const first: Answer = await engine.search(questionOf(TENANT, { q: 'harbour', limit: 30 }));
    await new Rebuild(client, indices).run();
    expect(await names()).toHaveLength(2);
    const second = await engine.search(questionOf(TENANT, { q: 'harbour', limit: 100, after: first.hits.at(-1)?.position }));
    expect(new Set([...first.hits, ...second.hits].map(({ id }) => id)).size).toBe(60);
    // The next one removes it.
    await rebuild();
    expect(await names()).toEqual([`${indexPrefix}-v1-000003`]);
  });

  test('one that is stopped changes nothing, and leaves nothing', async () => {
    await engine.write(Array.from({ length: 500 }, (_, i) => document(i)));
    await engine.publish();
    const stopped = new AbortController();
    await expect(rebuild({ signal: stopped.signal, progress: () => stopped.abort(new Error('stopped')) })).rejects.toThrow('stopped');
    expect(await names()).toEqual([`${indexPrefix}-v1-000001`]);
    expect(await engine.write([document(500)])).toEqual(['created']);
    expect(await total()).toBeGreaterThanOrEqual(500);
  });

  test('of two at once one goes on, and what was written is there', async () => {
    await engine.write(Array.from({ length: 1500 }, (_, i) => document(i)));
    let second: Promise<unknown> | undefined;
    const first = rebuild({ progress: () => void (second ??= rebuild()) });
    const outcomes = await Promise.allSettled([
      first,
      eventually(
        () => second,
        (began) => began !== undefined,
      ).then(() => second),
    ]);
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(1);
    await engine.publish();
    expect(await total()).toBe(1500);
    expect(await engine.write([document(1500)])).toEqual(['created']);
  });

  test('an index that a killed one left closed to writes is opened again after a while, and the killed one cannot come back', async () => {
    const closed = `${indexPrefix}-v1-000001`;
    const left = `${indexPrefix}-v1-000002`;
    await indices.create(left, [indices.nextAlias]);
    await closeToWrites(client, closed);
    const writing = engine.write([document(1)]);
    const blocks = new WriteBlocks(client, indices, 300);
    await blocks.seen();
    const aliases = async () => (await indices.indices()).find(({ name }) => name === left)?.aliases;
    expect(await aliases()).toEqual(new Set([indices.nextAlias]));
    await eventually(
      async () => {
        await blocks.seen();
        return (await aliases())?.size;
      },
      (size) => size === 0,
    );
    expect(await writing).toEqual(['created']);
  });

  test('an index that somebody else closed stays closed, and writes to it are errors that may pass', async () => {
    await closeToWrites(client, `${indexPrefix}-v1-000001`);
    const blocks = new WriteBlocks(client, indices, 0);
    await blocks.seen();
    expect(await engine.write([document(1)])).toEqual([expect.any(EngineUnavailableError)]);
  });
});
