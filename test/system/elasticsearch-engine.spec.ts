import { randomUUID } from 'node:crypto';
import { ElasticsearchEngine } from '../../apps/search/src/engines/elasticsearch/elasticsearch.engine';
import { describeEngine } from '../../apps/search/testing/engine.conformance';
import { sharedElasticsearch } from '../shared-elasticsearch';

describeEngine('elasticsearch', async () => {
  const url = await sharedElasticsearch();
  const indexPrefix = `conformance-${randomUUID()}`;
  const settings = { url, indexPrefix, shards: 1, replicas: 0, timeoutMs: 10_000 };
  const engine = new ElasticsearchEngine(settings);
  return {
    engine,
    another: () => new ElasticsearchEngine(settings),
    close: async () => {
      await engine.close();
      const indices = (await (await fetch(`${url}/_cat/indices/${indexPrefix}*?format=json&h=index`)).json()) as { index: string }[];
      for (const { index } of indices) await fetch(`${url}/${index}`, { method: 'DELETE' });
      await fetch(`${url}/_index_template/${indexPrefix}*`, { method: 'DELETE' });
    },
  };
});
