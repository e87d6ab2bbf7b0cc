import type { CallFigures, EdgeCpu, EdgeTransferFigures, FirstByteFigures, LossFigures, WireFigures } from './edge-figures';

/** The wire that all others are told as ratios of. */
export const DIRECT = 'direct';

export function callTable(figures: readonly CallFigures[]): string {
  const head = ['call', 'at a time', 'by', 'calls/s', 'of direct', 'p50 ms', 'of direct', 'p99 ms', ...CPU_HEAD, 'errors'];
  const rows = byWire(figures, ({ call, atATime }) => `${call} ${atATime}`).map(({ first, rows, direct }) => [
    first.call,
    String(first.atATime),
    first.wire,
    ...both(rows, direct, ({ perSecond }) => perSecond, 0),
    ...both(rows, direct, ({ p50 }) => p50, 2),
    median(rows.map(({ p99 }) => p99)).toFixed(2),
    ...cpuOf(rows, 0),
    String(rows.reduce((sum, { errors }) => sum + errors, 0)),
  ]);
  return table(head, rows);
}

export function transferTable(figures: readonly EdgeTransferFigures[]): string {
  const head = ['transfer', 'by', 'MiB/s', 'of direct', ...CPU_HEAD];
  const rows = byWire(figures, ({ transfer }) => transfer).map(({ first, rows, direct }) => [
    first.transfer,
    first.wire,
    ...both(rows, direct, ({ mebibytesPerSecond }) => mebibytesPerSecond, 0),
    ...cpuOf(rows, 2),
  ]);
  return table(head, rows);
}

export function lossTable(figures: readonly LossFigures[]): string {
  const atATimes = figures[0]?.calls.map(({ atATime }) => atATime) ?? [];
  const callHead = atATimes.flatMap((atATime) => [`p50 ms, ${atATime} at a time`, `p99 ms, ${atATime} at a time`]);
  const head = ['delay ms', 'dropped', 'MiB/s', 'of none dropped', ...callHead, 'errors'];
  const rows = [...Map.groupBy(figures, ({ delayMs, dropped }) => `${delayMs} ${dropped}`).values()].map((alike) => {
    const { delayMs = NaN, dropped = NaN } = alike[0] ?? {};
    const lossless = figures.filter((each) => each.delayMs === delayMs && each.dropped === 0);
    const calls = atATimes.flatMap((_, at) => [
      median(alike.map((each) => each.calls[at]?.p50 ?? NaN)),
      median(alike.map((each) => each.calls[at]?.p99 ?? NaN)),
    ]);
    const errors = alike.flatMap((each) => each.calls).reduce((sum, each) => sum + each.errors, 0);
    const speed = both(alike, lossless, ({ mebibytesPerSecond }) => mebibytesPerSecond, 2);
    return [String(delayMs), `${dropped * 100}%`, ...speed, ...calls.map((value) => value.toFixed(1)), String(errors)];
  });
  return table(head, rows);
}

export function firstByteTable(figures: readonly FirstByteFigures[]): string {
  const rows = [...Map.groupBy(figures, ({ how }) => how)].map(([how, alike]) => {
    const ms = alike.map((each) => each.ms);
    return [how, ...[median(ms), Math.min(...ms), Math.max(...ms)].map((value) => value.toFixed(0)), String(ms.length)];
  });
  return table(['with', 'median ms', 'least', 'most', 'times'], rows);
}

/** Of each that is alike, and of each wire but the direct one, its ratio to that. */
export function ratios<Figures extends WireFigures>(
  figures: readonly Figures[],
  keyOf: (figures: Figures) => string,
  pick: (figures: Figures) => number,
): { key: string; wire: string; ratio: number }[] {
  return byWire(figures, keyOf)
    .filter(({ first }) => first.wire !== DIRECT)
    .map(({ first, rows, direct }) => ({ key: keyOf(first), wire: first.wire, ratio: ratioOf(rows, direct, pick) }));
}

/** What one wire came to in all rounds, beside what the direct one did. */
function byWire<Figures extends WireFigures>(figures: readonly Figures[], keyOf: (figures: Figures) => string) {
  return [...Map.groupBy(figures, keyOf).values()].flatMap((alike) => {
    const direct = alike.filter(({ wire }) => wire === DIRECT);
    return [...Map.groupBy(alike, ({ wire }) => wire).values()].map((rows) => ({ first: rows[0] as Figures, rows, direct }));
  });
}

/** The median of the rounds, and that of the ratios to the same round of the others. */
function both<Figures extends { round: number }>(
  rows: readonly Figures[],
  others: readonly Figures[],
  pick: (figures: Figures) => number,
  digits: number,
): [string, string] {
  return [median(rows.map(pick)).toFixed(digits), ratioOf(rows, others, pick).toFixed(2)];
}

const ratioOf = <Figures extends { round: number }>(
  rows: readonly Figures[],
  others: readonly Figures[],
  pick: (figures: Figures) => number,
): number => median(rows.map((row) => pick(row) / pick(others.find(({ round }) => round === row.round) as Figures)));

const CPU: readonly (keyof EdgeCpu)[] = ['client', 'edge', 'gateway', 'mail'];
const CPU_HEAD = CPU.map((name) => `${name} CPU`);

/** On average: the kernel counts in steps of 10 ms. */
const cpuOf = (rows: readonly WireFigures[], digits: number): string[] =>
  CPU.map((name) => (rows.reduce((sum, { cpu }) => sum + cpu[name], 0) / rows.length).toFixed(digits));

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
