import { ConfigError, readConfig } from '@sky-genesis/config';
import { Presets, SingleBar } from 'cli-progress';
import { z } from 'zod';
import { ElasticsearchClient } from './engines/elasticsearch/elasticsearch.client';
import { elasticsearchSettings, elasticsearchVariables } from './engines/elasticsearch/elasticsearch.settings';
import { IndexKeeper } from './engines/elasticsearch/index.keeper';
import { Rebuild } from './engines/elasticsearch/reindex-documents';
import { SNAPSHOT_KEEP_ALIVE_MS } from './engines/elasticsearch/shared-snapshots';

const LINE_EVERY_MS = 5000;

async function reindex(): Promise<void> {
  const settings = elasticsearchSettings(readConfig(z.object(elasticsearchVariables), process.env));
  if (!settings) throw new ConfigError(['ELASTICSEARCH_URL: is required: only Elasticsearch has an index to rebuild']);
  const stopped = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort(new Error(`stopped by ${signal}`)));
  const client = new ElasticsearchClient(settings);
  // Without a terminal a line every few seconds.
  const bar = new SingleBar(
    {
      format: 'copied {bar} {percentage}% | {value} of {total} documents | {eta_formatted} left',
      noTTYOutput: true,
      notTTYSchedule: LINE_EVERY_MS,
    },
    Presets.shades_classic,
  );
  try {
    bar.start(1, 0);
    const { from, to, copied, pausedMs } = await new Rebuild(client, new IndexKeeper(client, settings), {
      signal: stopped.signal,
      progress: (progress) => {
        bar.setTotal(progress.total);
        bar.update(progress.copied);
      },
      moved: () => {
        bar.stop();
        console.log(
          'the new index is in use; the old one is removed once nobody can be paging through it, in five minutes (Ctrl-C: the next rebuild removes it)',
        );
      },
      keepOldMs: SNAPSHOT_KEEP_ALIVE_MS,
    }).run();
    console.log(
      from === undefined ? `made ${to}: there was none` : `${from} -> ${to}: ${copied} documents copied, writes waited ${pausedMs} ms`,
    );
  } finally {
    bar.stop();
    await client.close();
  }
}

reindex().catch((error: unknown) => {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exitCode = 1;
});
