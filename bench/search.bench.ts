import { randomBytes } from 'node:crypto';
import { BenchStack } from './bench-stack';
import { corpus, LARGEST_TENANT, TENANTS } from './corpus';
import { cpuMicroseconds, residentMebibytes } from './cpu';
import { indexDocumentsLoad } from './index-documents.load';
import { indexLag } from './index-lag.load';
import { elasticsearchNodes, type MeasuredEngine, postgresProcess } from './measured-engine';
import { quantiles } from './quantiles';
import { recordQueries, type RecordedQueries } from './record-queries';
import type { EngineFigures, QueryFigures } from './search-figures';
import { type QueryKind, queryKinds } from './search-queries';
import { printFigures, writeFigures } from './search-report';
import { type Ask, askElasticsearch, askMany, askSearch } from './search.load';
import { SearchServiceClient } from './search-service.client';

const SEED = 2026;
const LAG_SEED = 4711;
const LAG_MAILS = 200_000;
const LAG_PER_SECOND = 500;
const WARM_UP_QUERIES = 30;
const SCOPES = 'mail.send mail.read search.read search.write';

export interface SearchBenchOptions {
  /** Mails in the corpus. */
  count: number;
  rounds: number;
  /** Of each kind, to each engine, in all rounds together. */
  queries: number;
  /** 0: the lag is not measured. */
  lagSeconds: number;
  /** Where there is none, PostgreSQL alone is measured. */
  elasticsearch: string | undefined;
  /** Whether docs/bench-search.md and its charts are written, beside being printed. */
  write: boolean;
}

/** Search on each engine: indexing, queries, and how long a mail takes until it is found. */
export async function searchBench(options: SearchBenchOptions): Promise<void> {
  const figures = [await benchPostgres(options)];
  if (options.elasticsearch !== undefined) figures.push(await benchElasticsearch(options.elasticsearch, options));
  printFigures(figures, options);
  if (options.write) writeFigures(figures, options);
}

async function benchPostgres(options: SearchBenchOptions): Promise<EngineFigures> {
  const stack = await BenchStack.start({ MAIL_WORKER: 'false' });
  try {
    return await bench(stack, postgresProcess(stack.description.pids.postgres), options, undefined);
  } finally {
    await stack.stop();
  }
}

async function benchElasticsearch(url: string, options: SearchBenchOptions): Promise<EngineFigures> {
  const indexPrefix = `bench-${randomBytes(6).toString('hex')}`;
  const stack = await BenchStack.start({ MAIL_WORKER: 'false', ELASTICSEARCH_URL: url, ELASTICSEARCH_INDEX_PREFIX: indexPrefix });
  try {
    const record = (kinds: readonly QueryKind[]) => recordQueries(url, indexPrefix, LARGEST_TENANT, kinds);
    return await bench(stack, await elasticsearchNodes(url), options, { url, record });
  } finally {
    await stack.stop();
    await deleteIndices(url, indexPrefix);
  }
}

interface Direct {
  url: string;
  record(kinds: readonly QueryKind[]): Promise<RecordedQueries>;
}

async function bench(
  stack: BenchStack,
  engine: MeasuredEngine,
  options: SearchBenchOptions,
  direct: Direct | undefined,
): Promise<EngineFigures> {
  const { ports, pids } = stack.description;
  const client = new SearchServiceClient(`127.0.0.1:${ports.search_grpc}`);
  const tokens = new Map(TENANTS.map(({ name }) => [name as string, stack.tokenOf(name, SCOPES)]));
  const token = tokens.get(LARGEST_TENANT) ?? '';
  const cpu = async () => ({ app: cpuMicroseconds(pids.search), engine: await engine.cpuMicroseconds() });
  const tell = (text: string) => console.error(`${engine.name}: ${text}`);
  try {
    const before = await cpu();
    const indexed = await indexDocumentsLoad(client, tokens, corpus(SEED, options.count), (documents) =>
      tell(`${documents} documents indexed`),
    );
    const after = await cpu();
    const kinds = queryKinds(SEED, options.count);
    const recorded = await direct?.record(kinds);
    const queries: QueryFigures[] = [];
    for (const kind of kinds) {
      const straight =
        direct && recorded ? askElasticsearch(direct.url, recorded.searched, recorded.byKind.get(kind.name) ?? []) : undefined;
      queries.push(await measureKind(kind.name, askSearch(client, token, kind), straight, cpu, options));
      tell(`${kind.name} measured`);
    }
    const lag =
      options.lagSeconds > 0
        ? await indexLag(`127.0.0.1:${ports.mail_grpc}`, client, token, corpus(LAG_SEED, LAG_MAILS), {
            perSecond: LAG_PER_SECOND,
            seconds: options.lagSeconds,
          })
        : undefined;
    return {
      engine: engine.name,
      indexing: {
        documents: indexed.documents,
        perSecond: indexed.documents / indexed.seconds,
        appCpu: (after.app - before.app) / indexed.documents,
        engineCpu: (after.engine - before.engine) / indexed.documents,
      },
      queries,
      lag: lag && { ...quantiles(lag.lags), samples: lag.lags.length, perSecond: lag.perSecond, errors: lag.errors },
      residentMebibytes: residentMebibytes(pids.search),
    };
  } finally {
    client.close();
  }
}

/** Search and Elasticsearch itself take turns, each first in every second round: a machine that drifts drifts for both. */
async function measureKind(
  name: string,
  search: Ask,
  straight: Ask | undefined,
  cpu: () => Promise<{ app: number; engine: number }>,
  { rounds, queries }: SearchBenchOptions,
): Promise<QueryFigures> {
  const times = Math.ceil(queries / rounds);
  const spent = { app: 0, engine: 0 };
  const took: { search: number[]; straight: number[] } = { search: [], straight: [] };
  const searchTurn = async () => {
    const before = await cpu();
    took.search.push(...(await askMany(search, times)));
    const after = await cpu();
    spent.app += after.app - before.app;
    spent.engine += after.engine - before.engine;
  };
  const straightTurn = async () => {
    if (straight) took.straight.push(...(await askMany(straight, times)));
  };
  await askMany(search, WARM_UP_QUERIES);
  if (straight) await askMany(straight, WARM_UP_QUERIES);
  for (let round = 0; round < rounds; round++) {
    for (const turn of round % 2 === 0 ? [searchTurn, straightTurn] : [straightTurn, searchTurn]) await turn();
  }
  return {
    name,
    ...quantiles(took.search),
    appCpu: spent.app / took.search.length,
    engineCpu: spent.engine / took.search.length,
    ...(straight && { straight: quantiles(took.straight) }),
  };
}

async function deleteIndices(url: string, indexPrefix: string): Promise<void> {
  const indices = (await (await fetch(new URL(`/_cat/indices/${indexPrefix}*?format=json&h=index`, url))).json()) as { index: string }[];
  for (const { index } of indices) await fetch(new URL(`/${index}`, url), { method: 'DELETE' });
  await fetch(new URL(`/_index_template/${indexPrefix}*`, url), { method: 'DELETE' });
}
