import { parseArgs } from 'node:util';
import { acceptBench } from './accept.bench';
import { filesBench } from './files.bench';
import { searchBench } from './search.bench';

const USAGE = `npm run bench -- [--seconds 8] [--rounds 3]
npm run bench -- search [--count 100000] [--elasticsearch URL] [--rounds 3] [--queries 200] [--lag-seconds 60] [--write]
npm run bench -- files [--gib 1] [--rounds 3] [--write]`;

const options = {
  seconds: { type: 'string', default: '8' },
  rounds: { type: 'string', default: '3' },
  gib: { type: 'string', default: '1' },
  count: { type: 'string', default: '100000' },
  queries: { type: 'string', default: '200' },
  'lag-seconds': { type: 'string', default: '60' },
  elasticsearch: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const [what = 'accept'] = positionals;
  if (what === 'accept') return acceptBench(Number(values.seconds), Number(values.rounds));
  if (what === 'files') return filesBench({ gibibytes: Number(values.gib), rounds: Number(values.rounds), write: values.write });
  if (what !== 'search') throw new Error(USAGE);
  return searchBench({
    count: Number(values.count),
    rounds: Number(values.rounds),
    queries: Number(values.queries),
    lagSeconds: Number(values['lag-seconds']),
    elasticsearch: values.elasticsearch,
    write: values.write,
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
