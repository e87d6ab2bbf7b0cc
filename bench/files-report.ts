import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import type { ServerFigures, TransferFigures } from './file-figures';

/** As seen from bench/dist. */
const DOCS = resolve(__dirname, '../../docs');

interface Setup {
  gibibytes: number;
  rounds: number;
}

export function printTransfers(figures: readonly TransferFigures[], setup: Setup): void {
  console.log(described(figures, setup));
}

/** docs/bench-files.md. */
export function writeTransfers(figures: readonly TransferFigures[], setup: Setup): void {
  writeFileSync(join(DOCS, 'bench-files.md'), `${introduction(setup)}\n\n${described(figures, setup)}\n`);
}

const introduction = ({ gibibytes, rounds }: Setup): string =>
  [
    '# Bench of files',
    '',
    `\`npm run bench -- files --gib ${gibibytes} --rounds ${rounds} --write\`, ${new Date().toISOString().slice(0, 10)}. Files of random bytes to the local store and back; what is`,
    'downloaded was uploaded just before, so it comes out of the page cache, on all wires. The yardstick is a node:http server in a process of its own, which',
    'writes the body to a file with `pipeline`, syncs it at the end, and sends it back: no token, no hash, no record, no checkpoint on the way, on HTTP/1.1. gRPC',
    'speaks to mail; REST to the gateway, which speaks gRPC to mail, so that its bytes cross two more sockets. Client and servers share the machine: read the',
    'figures as ratios. CPU is in seconds for each GiB; resident memory in MiB, before a transfer and at its peak. No process was started anew in between.',
  ].join('\n');

function described(figures: readonly TransferFigures[], { gibibytes, rounds }: Setup): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
  return `${machine}; ${gibibytes} GiB at a time, in 1 file or in 8; ${rounds} interleaved rounds, medians; memory before: median, peak: highest\n\n${table(figures)}`;
}

const HEAD = [
  'wire',
  'direction',
  'at a time',
  'MiB/s',
  'of bare',
  'bare CPU',
  'gateway CPU',
  'mail CPU',
  'gateway before',
  'gateway peak',
  'mail before',
  'mail peak',
];

function table(figures: readonly TransferFigures[]): string {
  const lines: (string | number)[][] = [HEAD, HEAD.map(() => '---')];
  const keyOf = ({ direction, atATime }: TransferFigures): string => `${direction} ${atATime}`;
  for (const key of new Set(figures.map(keyOf))) {
    const alike = figures.filter((figure) => keyOf(figure) === key);
    const [yardstick] = alike;
    for (const wire of new Set(alike.map((figure) => figure.wire))) {
      const same = alike.filter((figure) => figure.wire === wire);
      const speed = speedOf(same);
      const ratio = speed / speedOf(alike.filter((figure) => figure.wire === yardstick?.wire));
      const { direction = '', atATime = 0 } = same[0] ?? {};
      lines.push([wire, direction, atATime, speed.toFixed(0), ratio.toFixed(2), ...cpuOf(same), ...memoryOf(same)]);
    }
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

const speedOf = (figures: readonly TransferFigures[]): number => median(figures.map(({ mebibytesPerSecond }) => mebibytesPerSecond));

const SERVERS = ['bare', 'gateway', 'mail'] as const satisfies (keyof ServerFigures)[];

const cpuOf = (figures: readonly TransferFigures[]): string[] =>
  SERVERS.map((name) => median(figures.map(({ cpu }) => cpu[name])).toFixed(2));

const memoryOf = (figures: readonly TransferFigures[]): string[] =>
  SERVERS.slice(1).flatMap((name) =>
    [median(figures.map(({ before }) => before[name])), Math.max(...figures.map(({ peak }) => peak[name]))].map((value) =>
      value.toFixed(0),
    ),
  );
