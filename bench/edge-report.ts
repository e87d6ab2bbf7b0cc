import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { type BarChart, barChart } from './bar-chart';
import { AT_A_TIME } from './edge-calls.load';
import type { EdgeFigures } from './edge-figures';
import { callTable, firstByteTable, lossTable, ratios, transferTable } from './edge-tables';

/** As seen from bench/dist. */
const DOCS = resolve(__dirname, '../../docs');
const COLORS = ['#b8b8b8', '#336791', '#00a9a5', '#c06c2b'];

export interface EdgeSetup {
  seconds: number;
  rounds: number;
  transferMebibytes: number;
  lossyMebibytes: number;
  firstByteDelayMs: number;
}

export function printEdge(figures: EdgeFigures, setup: EdgeSetup): void {
  console.log(described(figures, setup));
}

/** docs/bench-edge.md and its charts. */
export function writeEdge(figures: EdgeFigures, setup: EdgeSetup): void {
  const charts = chartsOf(figures);
  for (const { file, chart } of charts) writeFileSync(join(DOCS, file), barChart(chart));
  const images = charts.map(({ file, chart }) => `![${chart.title}](${file})`).join('\n\n');
  writeFileSync(join(DOCS, 'bench-edge.md'), `${introduction(setup)}\n\n${described(figures, setup)}\n\n${images}\n`);
}

const introduction = ({ seconds, rounds }: EdgeSetup): string =>
  [
    '# Bench of the edge',
    '',
    `\`npm run bench -- edge --seconds ${seconds} --rounds ${rounds} --write\`, ${new Date().toISOString().slice(0, 10)}. The same requests, byte for byte: directly, without TLS, to mail (gRPC on HTTP/2) or`,
    'to the gateway (REST on HTTP/1.1), and with TLS through the edge. Ratios are those of one round, in which all took turns; figures are medians of the rounds.',
    '',
    'What the figures can tell, and what not:',
    '',
    '- Client, edge, apps and database share the machine. Calls a second, many at a time, are what is left when all have had their share: the CPU columns',
    '  say whose it was. What the edge itself takes for a call or a GiB is its CPU column; on a machine of its own it is that, and a hop.',
    "- HTTP/1.1 and HTTP/2 by Node; HTTP/3 by quiche under the tests' own client (test/http3), all in the process of the bench, and by quic-go in another that is told each",
    '  call by a line of JSON, whose cost is in the client column too. quic-go hashes what it downloads.',
    '- A client of QUIC sends and reads datagrams of 1350 bytes one by one: transfers over HTTP/3 are bounded by that before they are by the edge.',
    '- HTTP/2 is not on the lossy path: TCP has to lose its segments below the sockets (tc netem, which this kernel lacks); a proxy of its bytes loses none.',
  ].join('\n');

function described(figures: EdgeFigures, { seconds, rounds, transferMebibytes, lossyMebibytes, firstByteDelayMs }: EdgeSetup): string {
  const machine = `${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}`;
  return [
    `${machine}; ${rounds} interleaved rounds, ${seconds} s of each load`,
    '',
    '## Calls',
    '',
    'A mail of 1 kB that is read, or accepted. CPU in microseconds of a call.',
    '',
    callTable(figures.calls),
    '',
    '## Files',
    '',
    `${transferMebibytes} MiB at a time, the same content each time, which mail keeps once. CPU in seconds of a GiB.`,
    '',
    transferTable(figures.transfers),
    '',
    '## HTTP/3 on a lossy path',
    '',
    'By quiche; a proxy of datagrams drops so many of each direction, by a seeded chance, and holds up each for the delay, which a round trip has twice. A download of',
    `${lossyMebibytes} MiB, then gRPC GetEmail.`,
    '',
    lossTable(figures.loss),
    '',
    '## The first byte',
    '',
    `A new connection by quiche and a GET of mails on it, until the answer's head is there; ${firstByteDelayMs} ms of delay each way.`,
    '',
    firstByteTable(figures.firstByte),
  ].join('\n');
}

function chartsOf({ calls, transfers }: EdgeFigures): { file: string; chart: BarChart }[] {
  const many = calls.filter(({ atATime }) => atATime === AT_A_TIME.at(-1));
  const callRatios = ratios(
    many,
    ({ call }) => call,
    ({ perSecond }) => perSecond,
  );
  const transferRatios = ratios(
    transfers,
    ({ transfer }) => transfer,
    ({ mebibytesPerSecond }) => mebibytesPerSecond,
  );
  return [
    { file: 'bench-edge-calls.svg', chart: chartOf(`calls a second, of direct, ${AT_A_TIME.at(-1)} at a time`, callRatios) },
    { file: 'bench-edge-files.svg', chart: chartOf('MiB a second, of direct', transferRatios) },
  ];
}

function chartOf(title: string, found: ReturnType<typeof ratios>): BarChart {
  const groups = [...new Set(found.map(({ key }) => key))];
  const names = [...new Set(found.map(({ wire }) => wire))].sort();
  const valueOf = (group: string, name: string): number => found.find(({ key, wire }) => key === group && wire === name)?.ratio ?? NaN;
  const series = names.map((name, at) => ({ name, color: COLORS[at] ?? '', values: groups.map((group) => valueOf(group, name)) }));
  return { title, groups, series };
}
