import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { barChart } from './bar-chart';
import type { EngineFigures, QueryFigures } from './search-figures';

/** As seen from bench/dist. */
const DOCS = resolve(__dirname, '../../docs');

const ENGINES = { postgres: 'PostgreSQL', elasticsearch: 'Elasticsearch' } as const;
const COLORS = { postgres: '#336791', elasticsearch: '#00a9a5', straight: '#b8b8b8' } as const;

interface Setup {
  count: number;
  rounds: number;
  queries: number;
}

export function printFigures(figures: readonly EngineFigures[], setup: Setup): void {
  console.log(tables(figures, setup));
}

/** docs/bench-search.md and its charts. */
export function writeFigures(figures: readonly EngineFigures[], setup: Setup): void {
  const charts = chartsOf(figures);
  for (const { file, svg } of charts) writeFileSync(join(DOCS, file), svg);
  const images = charts.map(({ file, title }) => `![${title}](${file})`).join('\n\n');
  writeFileSync(join(DOCS, 'bench-search.md'), `${introduction()}\n\n${tables(figures, setup)}\n\n${images}\n`);
}

const introduction = (): string =>
  [
    '# Bench of search',
    '',
    `\`npm run bench -- search --elasticsearch URL --write\`, ${new Date().toISOString().slice(0, 10)}. Mails of a seeded generator: 30,000 words by Zipf, lengths`,
    'log-normal around 120 words, four tenants of which the largest has 70 of 100 mails and is the one that is searched. One caller, one query after the',
    'other, over gRPC to the search process. "Straight" is the very request that search sends, as recorded from it, sent straight to Elasticsearch in turns',
    'with search; the ratio is search over straight, so it holds gRPC, the token, the freshness and the snapshot that pages need. CPU is of one document or',
    'query, in microseconds. Load, apps and engine share the machine.',
  ].join('\n');

function tables(figures: readonly EngineFigures[], { count, rounds, queries }: Setup): string {
  const [machine] = cpus();
  const lines = [
    `${cpus().length} x ${machine?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}; ${count} mails; ${queries} queries of each kind in ${rounds} rounds`,
    '',
    '## Indexing',
    '',
    table(
      ['engine', 'documents/s', 'search CPU', 'engine CPU', 'search resident MiB'],
      figures.map(({ engine, indexing: { perSecond, appCpu, engineCpu }, residentMebibytes }) => [
        ENGINES[engine],
        whole(perSecond),
        whole(appCpu),
        whole(engineCpu),
        whole(residentMebibytes),
      ]),
    ),
    '',
    '## Until a mail is found',
    '',
    'From the answer to the submit until search finds the mail, at a steady rate into SubmitEmails.',
    '',
    table(
      ['engine', 'mails/s', 'p50 ms', 'p95 ms', 'p99 ms', 'samples', 'errors'],
      figures.flatMap(({ engine, lag }) =>
        lag
          ? [
              [
                ENGINES[engine],
                whole(lag.perSecond),
                whole(lag.p50),
                whole(lag.p95),
                whole(lag.p99),
                String(lag.samples),
                String(lag.errors),
              ],
            ]
          : [],
      ),
    ),
  ];
  for (const { engine, queries: rows } of figures) lines.push('', `## Queries: ${ENGINES[engine]}`, '', queryTable(rows));
  return lines.join('\n');
}

function queryTable(rows: readonly QueryFigures[]): string {
  const straight = rows.some((row) => row.straight);
  return table(
    [
      'query',
      'p50 ms',
      'p95 ms',
      'p99 ms',
      'search CPU',
      'engine CPU',
      ...(straight ? ['straight p50', 'straight p95', 'ratio p50', 'ratio p95'] : []),
    ],
    rows.map((row) => [
      row.name,
      ...[row.p50, row.p95, row.p99].map(precise),
      whole(row.appCpu),
      whole(row.engineCpu),
      ...(row.straight
        ? [precise(row.straight.p50), precise(row.straight.p95), precise(row.p50 / row.straight.p50), precise(row.p95 / row.straight.p95)]
        : []),
    ]),
  );
}

function chartsOf(figures: readonly EngineFigures[]) {
  const kinds = figures[0]?.queries.map(({ name }) => name) ?? [];
  const of = (engine: EngineFigures['engine'], pick: (row: QueryFigures) => number | undefined) => {
    const found = figures.find((each) => each.engine === engine);
    return kinds.map((kind) => pick(found?.queries.find(({ name }) => name === kind) as QueryFigures) ?? NaN);
  };
  const latencies = (which: 'p50' | 'p95') => ({
    file: `bench-search-${which}.svg`,
    title: `${which} of a query, milliseconds`,
    groups: kinds,
    series: [
      { name: ENGINES.postgres, color: COLORS.postgres, values: of('postgres', (row) => row?.[which]) },
      { name: ENGINES.elasticsearch, color: COLORS.elasticsearch, values: of('elasticsearch', (row) => row?.[which]) },
      { name: 'straight to Elasticsearch', color: COLORS.straight, values: of('elasticsearch', (row) => row?.straight?.[which]) },
    ],
  });
  const indexing = {
    file: 'bench-search-indexing.svg',
    title: 'documents indexed a second',
    groups: figures.map(({ engine }) => ENGINES[engine]),
    series: [{ name: 'documents/s', color: COLORS.postgres, values: figures.map((each) => each.indexing.perSecond) }],
  };
  return [latencies('p50'), latencies('p95'), indexing].map((chart) => ({ file: chart.file, title: chart.title, svg: barChart(chart) }));
}

const whole = (value: number): string => value.toFixed(0);
const precise = (value: number): string => value.toFixed(2);

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
