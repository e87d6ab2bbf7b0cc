import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';

/** As seen from bench/dist. */
const DOCS = resolve(__dirname, '../../docs');
const BARE = 'bare';

export interface ChainFigures {
  round: number;
  part: 'chains' | 'sizes';
  chain: string;
  mails: number;
  perSecond: number;
  /** Of the server process, in microseconds of a call. */
  cpu: number;
  messageBytes: number;
  /** Of the answer, with the five bytes before each message. */
  wireBytes: number;
}

export interface GzipFigures {
  round: number;
  level: number;
  messageBytes: number;
  packedBytes: number;
  /** In microseconds of a message. */
  cpu: number;
}

interface Setup {
  calls: number;
  rounds: number;
}

export function printInterceptors(figures: readonly ChainFigures[], gzip: readonly GzipFigures[], setup: Setup): void {
  console.log(described(figures, gzip, setup));
}

/** docs/bench-interceptors.md. */
export function writeInterceptors(figures: readonly ChainFigures[], gzip: readonly GzipFigures[], setup: Setup): void {
  writeFileSync(join(DOCS, 'bench-interceptors.md'), `${introduction(setup)}\n\n${described(figures, gzip, setup)}\n`);
}

const introduction = ({ calls, rounds }: Setup): string =>
  [
    '# Bench of the interceptors',
    '',
    `\`npm run bench -- interceptors --calls ${calls} --rounds ${rounds} --write\`, ${new Date().toISOString().slice(0, 10)}. One ListEmails, whose answer is made before, 32 at a time on one connection, to servers of grpc-js`,
    'in processes of their own, new ones each round and warm before they are measured: with the same options and handlers, and none, some or all of our interceptors. No Nest, no database: a call to',
    'mail costs ten times as much, and the same interceptors a tenth of the ratio. The client is a bare one of node:http2 and shares the machine: calls a second tell of both sides, CPU of',
    'the server alone, all its threads together. Logs are written, to /dev/null; tokens are verified (HS256) at each call. Figures are the lower quartile of the rounds (of rates the upper',
    'one), as whatever else the machine does only adds.',
  ].join('\n');

function described(figures: readonly ChainFigures[], gzip: readonly GzipFigures[], { calls, rounds }: Setup): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
  return [
    `${machine}; ${rounds} interleaved rounds of ${calls} calls to each chain`,
    '',
    '## The chain',
    '',
    `An answer of ${figures[0]?.messageBytes} bytes, too small to be compressed. CPU in microseconds of a call; each chain has the interceptors of all above it.`,
    '',
    chainTable(figures.filter(({ part }) => part === 'chains')),
    '',
    '## Compressed answers',
    '',
    'The whole chain, without compression and with all compressed. The last column: what a microsecond of CPU saves.',
    '',
    sizeTable(figures.filter(({ part }) => part === 'sizes')),
    '',
    '## gzip by itself',
    '',
    'In microseconds of CPU for a message. Answers are compressed at level 1; grpc-js compresses requests, at level 6.',
    '',
    gzipTable(gzip),
  ].join('\n');
}

function chainTable(figures: readonly ChainFigures[]): string {
  const bare = figures.filter(({ chain }) => chain === BARE);
  const rows = [...Map.groupBy(figures, ({ chain }) => chain)].map(([chain, alike]) => [
    chain,
    cpuOf(alike).toFixed(0),
    (cpuOf(alike) / cpuOf(bare)).toFixed(2),
    rateOf(alike).toFixed(0),
    (rateOf(alike) / rateOf(bare)).toFixed(2),
  ]);
  return table(['chain', 'CPU', 'of bare', 'calls/s', 'of bare'], rows);
}

function sizeTable(figures: readonly ChainFigures[]): string {
  const rows = [...Map.groupBy(figures, ({ mails }) => mails).values()].map((alike) => {
    const [plain = [], packed = []] = [...Map.groupBy(alike, ({ chain }) => chain).values()].toSorted(
      ([a], [b]) => (b?.wireBytes ?? 0) - (a?.wireBytes ?? 0),
    );
    const saved = (plain[0]?.wireBytes ?? 0) - (packed[0]?.wireBytes ?? 0);
    const more = cpuOf(packed) - cpuOf(plain);
    return [
      String(alike[0]?.messageBytes),
      String((packed[0]?.wireBytes ?? 0) - 5),
      cpuOf(plain).toFixed(0),
      cpuOf(packed).toFixed(0),
      (cpuOf(packed) / cpuOf(plain)).toFixed(2),
      more.toFixed(0),
      (saved / more).toFixed(0),
    ];
  });
  return table(['message bytes', 'compressed', 'CPU without', 'CPU with', 'ratio', 'more', 'bytes saved for 1 us'], rows);
}

function gzipTable(figures: readonly GzipFigures[]): string {
  const levels = [...new Set(figures.map(({ level }) => level))].toSorted((a, b) => a - b);
  const rows = [...Map.groupBy(figures, ({ messageBytes }) => messageBytes)].map(([bytes, alike]) => [
    String(bytes),
    ...levels.flatMap((level) => {
      const same = alike.filter((each) => each.level === level);
      return [String(same[0]?.packedBytes), cpuOf(same).toFixed(0)];
    }),
  ]);
  return table(['message bytes', ...levels.flatMap((level) => [`level ${level}`, 'CPU'])], rows);
}

/** What a quarter of the rounds stayed below: whatever else the machine does only adds. */
const least = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 2] ?? NaN;
const most = (values: readonly number[]): number => -least(values.map((value) => -value));

const cpuOf = (figures: readonly { cpu: number }[]): number => least(figures.map(({ cpu }) => cpu));
const rateOf = (figures: readonly ChainFigures[]): number => most(figures.map(({ perSecond }) => perSecond));

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
