import { parseArgs } from 'node:util';
import { acceptBench } from './accept.bench';
import { edgeBench } from './edge.bench';
import { filesBench } from './files.bench';
import { interceptorsBench } from './interceptors.bench';
import { searchBench } from './search.bench';

const USAGE = `npm run bench -- [--seconds 8] [--rounds 3]
npm run bench -- search [--count 100000] [--elasticsearch URL] [--rounds 3] [--queries 200] [--lag-seconds 60] [--write]
npm run bench -- files [--gib 1] [--rounds 3] [--write]
npm run bench -- edge [--seconds 1] [--rounds 9] [--write]
npm run bench -- interceptors [--calls 8000] [--rounds 7] [--write]`;

const options = {
  seconds: { type: 'string' },
  rounds: { type: 'string' },
  gib: { type: 'string', default: '1' },
  count: { type: 'string', default: '100000' },
  queries: { type: 'string', default: '200' },
  calls: { type: 'string', default: '8000' },
  'lag-seconds': { type: 'string', default: '60' },
  elasticsearch: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [what = 'accept'] = positionals;
  const { write } = values;
  const rounds = Number(values.rounds ?? 3);
  if (what === 'accept') return acceptBench(Number(values.seconds ?? 8), rounds);
  if (what === 'files') return filesBench({ gibibytes: Number(values.gib), rounds, write });
  if (what === 'edge') return edgeBench({ seconds: Number(values.seconds ?? 1), rounds: Number(values.rounds ?? 9), write });
  if (what === 'interceptors') return interceptorsBench({ calls: Number(values.calls), rounds: Number(values.rounds ?? 7), write });
  if (what !== 'search') throw new Error(USAGE);
  return searchBench({
    count: Number(values.count),
    rounds,
    queries: Number(values.queries),
    lagSeconds: Number(values['lag-seconds']),
    elasticsearch: values.elasticsearch,
    write,
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
