import { ElasticsearchEngine } from '../../apps/search/src/engines/elasticsearch/elasticsearch.engine';
import { EngineUnavailableError, PositionLostError } from '../../apps/search/src/engines/search.engine';
import { indexed, questionOf } from '../../apps/search/testing/engine-under-test';
import { ElasticsearchServer } from '../../tools/elasticsearch/elasticsearch-server';
import { eventually } from '../eventually';

const TENANT = 'acme';
const RECOVERY_MS = 120_000;

/** The numbers of the documents whose writing was acknowledged, beside the 200 of the beginning. */
const written = new Set<number>();

describe('an Elasticsearch that goes away', () => {
  let server: ElasticsearchServer;
  let engine: ElasticsearchEngine;
  const engines: ElasticsearchEngine[] = [];

  beforeAll(async () => {
    server = await ElasticsearchServer.started('256m');
    engine = started();
    await engine.prepare();
  }, 240_000);

  afterAll(async () => {
    for (const each of engines) await each.close();
    await server?.remove();
  }, 60_000);

  function started(): ElasticsearchEngine {
    const created = new ElasticsearchEngine({ url: server.url, indexPrefix: 'outage', shards: 1, replicas: 'auto', timeoutMs: 5000 });
    engines.push(created);
    return created;
  }

  const document = (i: number) => indexed(TENANT, { id: `d${i}`, title: 'harbour', content: `number ${i}` });
  const ask = (q = 'harbour', after?: string) => engine.search(questionOf(TENANT, { q, limit: 10, after, timeoutMs: 3000 }));
  const recovered = () =>
    eventually(
      () => ask().catch((error: Error) => error),
      (answer) => !(answer instanceof Error),
      RECOVERY_MS,
    );

  test('killed and started again: every answer is right or an error, and what was acknowledged is there', async () => {
    await engine.write(Array.from({ length: 200 }, (_, i) => document(i)));
    await engine.publish();
    await engine.saveCheckpoint({ source: 'mail', checkpoint: 'before', throughMs: 1 });
    const before = await ask();
    const unexpected: unknown[] = [];
    const outcomes = { right: 0, unavailable: 0 };
    let published = 200;
    let going = true;
    const searching = (async () => {
      while (going) {
        const atLeast = published;
        try {
          const { total, hits, degraded } = await ask();
          if (degraded === undefined && (total < atLeast || hits.length !== 10))
            unexpected.push(`${total} of ${atLeast}, ${hits.length} hits`);
          outcomes.right++;
        } catch (error) {
          if (error instanceof EngineUnavailableError) outcomes.unavailable++;
          else unexpected.push(error);
        }
      }
    })();
    const writing = (async () => {
      for (let id = 200; going; id++) {
        try {
          const [outcome] = await engine.write([document(id)]);
          if (outcome instanceof EngineUnavailableError) continue;
          if (outcome !== 'created' && outcome !== 'unchanged') unexpected.push(outcome);
          written.add(id);
          await engine.publish();
          published = 200 + written.size;
        } catch (error) {
          if (!(error instanceof EngineUnavailableError)) unexpected.push(error);
        }
      }
    })();
    await eventually(
      () => written.size,
      (size) => size > 30,
    );
    await server.kill();
    await expect(engine.ping()).rejects.toThrow(EngineUnavailableError);
    await eventually(
      () => outcomes.unavailable,
      (times) => times > 3,
    );
    const rightBefore = outcomes.right;
    await server.start();
    await eventually(
      () => outcomes.right,
      (times) => times > rightBefore + 5,
      RECOVERY_MS,
    );
    const writtenBefore = written.size;
    await eventually(
      () => written.size,
      (size) => size > writtenBefore + 5,
      RECOVERY_MS,
    );
    going = false;
    await Promise.all([searching, writing]);
    expect(unexpected).toEqual([]);
    await engine.publish();
    const ids = [...written].map((id) => `d${id}`);
    expect(await engine.findable(TENANT, ['document'], ids)).toEqual(new Set(ids));
    expect(await engine.checkpoints()).toEqual([{ source: 'mail', checkpoint: 'before', throughMs: 1 }]);
    // What was paged through is gone with the process, and says so.
    await expect(ask('harbour', before.hits.at(-1)?.position)).rejects.toThrow(PositionLostError);
  }, 300_000);

  test('an instance that starts meanwhile says so, and searches by itself once it is there', async () => {
    await server.kill();
    const late = started();
    await expect(late.prepare()).rejects.toThrow(EngineUnavailableError);
    await expect(late.search(questionOf(TENANT, { q: 'harbour', timeoutMs: 1000 }))).rejects.toThrow(EngineUnavailableError);
    await expect(late.write([document(1)])).rejects.toThrow(EngineUnavailableError);
    await expect(late.checkpoints()).rejects.toThrow(EngineUnavailableError);
    await server.start();
    const answer = await eventually(
      () => late.search(questionOf(TENANT, { q: 'harbour', timeoutMs: 3000 })).catch((error: Error) => error),
      (told) => !(told instanceof Error),
      RECOVERY_MS,
    );
    expect((answer as { total: number }).total).toBeGreaterThanOrEqual(written.size + 200);
  }, 300_000);

  test('with an empty data folder the index is made anew, and its checkpoints are gone with the documents', async () => {
    await recovered();
    await engine.write(Array.from({ length: 20 }, (_, i) => document(i)));
    await engine.publish();
    const position = await ask();
    await server.kill();
    server.emptyData();
    await server.start();
    expect(await recovered()).toMatchObject({ total: 0 });
    expect(await engine.checkpoints()).toEqual([]);
    await expect(ask('harbour', position.hits.at(-1)?.position)).rejects.toThrow(PositionLostError);
    expect(await engine.write([document(1)])).toEqual(['created']);
    await engine.publish();
    expect(await ask()).toMatchObject({ total: 1 });
  }, 300_000);

  test('the index is lost under a write: it is made anew by the mapping, not made up', async () => {
    await fetch(`${server.url}/outage-v1-000001`, { method: 'DELETE' });
    expect(await engine.write([document(5)])).toEqual(['created']);
    const indices = (await (await fetch(`${server.url}/_cat/indices/outage*?format=json&h=index`)).json()) as { index: string }[];
    expect(indices).toEqual([{ index: 'outage-v1-000001' }]);
  });

  test('several instances that start at once make one index', async () => {
    await fetch(`${server.url}/outage-v1-000001`, { method: 'DELETE' });
    await fetch(`${server.url}/_index_template/outage`, { method: 'DELETE' });
    await Promise.all(Array.from({ length: 6 }, () => started().prepare()));
    const indices = (await (await fetch(`${server.url}/_cat/indices/outage*?format=json&h=index`)).json()) as { index: string }[];
    expect(indices).toEqual([{ index: 'outage-v1-000001' }]);
  });
});
