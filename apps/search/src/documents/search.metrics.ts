import { Counter, Gauge, Histogram } from '@sky-genesis/observability';

export const engineUp = new Gauge({
  name: 'search_engine_up',
  help: 'Whether the search engine answers: 1 or 0.',
  labelNames: ['engine'],
});

export const searchesTotal = new Counter({
  name: 'search_searches_total',
  help: 'Searches, by what came of them: found (answered whole), degraded (answered, and said to be incomplete), failed.',
  labelNames: ['outcome'],
});

export const searchDurationSeconds = new Histogram({
  name: 'search_duration_seconds',
  help: 'From the beginning of a search to its answer, without the wait for wait_for_id.',
  buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const documentsWrittenTotal = new Counter({
  name: 'search_documents_written_total',
  help: 'Documents indexed or deleted, by what came of it: created, updated, deleted, unchanged, failed.',
  labelNames: ['outcome'],
});

export const indexLagSeconds = new Gauge({
  name: 'search_index_lag_seconds',
  help: 'How long ago everything accepted could be found (indexed_through_ms); NaN while no source said so, or that is not known.',
});
