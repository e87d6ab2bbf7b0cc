import type { Injected } from './fault-injector';

/** What is drawn over the time of a run: each a number for every second from its beginning. */
export interface Curve {
  name: string;
  /** CSS colour. */
  colour: string;
  /** null: nobody could say. */
  perSecond: readonly (number | null)[];
}

export interface TimelinePage {
  title: string;
  verdict: string;
  /** In ms since the epoch, as the faults' times are. */
  beganAt: number;
  /** When the last fault was over. */
  faultsEndedAt: number;
  endedAt: number;
  /** The rows of faults, from top to bottom. */
  targets: readonly string[];
  injected: readonly Injected[];
  /** One chart each, with its own scale. */
  charts: readonly { title: string; curves: readonly Curve[] }[];
  settings: readonly (readonly [string, string | number])[];
  invariants: readonly { holds: boolean; text: string }[];
  figures: readonly (readonly [string, string | number])[];
}

const LEFT = 170;
const WIDTH = 1250;
const ROW = 18;
const CHART = 90;
const COLOURS: readonly (readonly [RegExp, string])[] = [
  [/^SIGKILL/, '#c62828'],
  [/^SIGSTOP/, '#6a1b9a'],
  [/hole/, '#37474f'],
  [/delay/, '#f9a825'],
  [/half/, '#00838f'],
  [/full/, '#4e342e'],
  [/./, '#ef6c00'],
];

/** One file that needs no other: the timeline as SVG, and what held. */
export function timelinePage(page: TimelinePage): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${text(page.title)}</title>
<style>
body { font: 14px/1.45 system-ui, sans-serif; max-width: ${LEFT + WIDTH + 20}px; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: #333 }
table { border-collapse: collapse } td { border-bottom: 1px solid #ddd; padding: 2px 12px 2px 0 }
.fell { color: #c62828; font-weight: bold } .held { color: #2e7d32 } .key span { display: inline-block; width: 10px; height: 10px; margin: 0 4px 0 12px }
</style>
<h1>${text(page.title)}</h1>
<p class="${page.invariants.every(({ holds }) => holds) ? 'held' : 'fell'}">${rich(page.verdict)}</p>
${svg(page)}
<p class="key">${COLOURS.map(([, colour], i) => `<span style="background:${colour}"></span>${['SIGKILL', 'SIGSTOP', 'black hole', 'delay', 'half-closed', 'disk full', 'cut, refused'][i]}`).join('')}
(point at a bar for its name and times)</p>
<h2>What had to hold</h2>
<ul>${page.invariants.map(({ holds, text: said }) => `<li><span class="${holds ? 'held' : 'fell'}">${holds ? 'held' : 'FELL'}</span>: ${text(said)}`).join('\n')}</ul>
<h2>Figures</h2>
${table(page.figures)}
<h2>Run</h2>
${table(page.settings)}
</html>
`;
}

function svg(page: TimelinePage): string {
  const { beganAt, endedAt, faultsEndedAt, targets, injected, charts } = page;
  const x = (at: number): number => LEFT + ((at - beganAt) / (endedAt - beganAt)) * WIDTH;
  const rowsEnd = 20 + targets.length * ROW;
  const height = rowsEnd + 10 + charts.length * (CHART + 26) + 24;
  const rows = targets.map((target, i) => {
    const y = 20 + i * ROW;
    const bars = injected.filter((fault) => fault.target === target).map((fault) => bar(fault, beganAt, x, y));
    return `<text x="4" y="${y + 13}">${text(target)}</text><line x1="${LEFT}" x2="${LEFT + WIDTH}" y1="${y + ROW - 1}" y2="${y + ROW - 1}" stroke="#eee"/>${bars.join('')}`;
  });
  const drawn = charts.map((chart, i) => curves(chart, rowsEnd + 24 + i * (CHART + 26), x, beganAt));
  return `<svg viewBox="0 0 ${LEFT + WIDTH + 10} ${height}" role="img" aria-label="timeline">
<rect x="${x(faultsEndedAt).toFixed(1)}" y="14" width="${(LEFT + WIDTH - x(faultsEndedAt)).toFixed(1)}" height="${height - 36}" fill="#e8f5e9"/>
<text x="${(x(faultsEndedAt) + 3).toFixed(1)}" y="11">faults over</text>
${rows.join('\n')}
${drawn.join('\n')}
${clock(page, x, height)}
</svg>`;
}

function bar({ name, from, to }: Injected, beganAt: number, x: (at: number) => number, y: number): string {
  const width = Math.max(2, x(to) - x(from));
  const colour = COLOURS.find(([of]) => of.test(name))?.[1] ?? '';
  const told = `${name}, at ${seconds(from - beganAt)} s${to - from < 50 ? '' : ` for ${seconds(to - from)} s`}`;
  return `<rect x="${x(from).toFixed(1)}" y="${y + 2}" width="${width.toFixed(1)}" height="${ROW - 5}" fill="${colour}" fill-opacity=".8"><title>${text(told)}</title></rect>`;
}

function curves({ title, curves }: TimelinePage['charts'][number], y: number, x: (at: number) => number, beganAt: number): string {
  const most = Math.max(1, ...curves.flatMap(({ perSecond }) => perSecond.map((value) => value ?? 0)));
  const lines = curves.map(({ colour, perSecond }) => {
    const points = perSecond.map((value, second) => {
      if (value === null) return '';
      const pen = (perSecond[second - 1] ?? null) === null ? 'M' : 'L';
      return `${pen}${x(beganAt + second * 1000).toFixed(1)} ${(y + CHART - (value / most) * CHART).toFixed(1)}`;
    });
    return `<path d="${points.join('')}" fill="none" stroke="${colour}" stroke-width="1.2"/>`;
  });
  const names = curves.map(({ name, colour }, i) => `<text x="4" y="${y + 28 + i * 14}" style="fill:${colour}">${text(name)}</text>`);
  return `<text x="4" y="${y + 12}" style="font-weight:bold">${text(title)}</text>${names.join('')}
<text x="${LEFT - 4}" y="${y + 9}" text-anchor="end">${most}</text><text x="${LEFT - 4}" y="${y + CHART}" text-anchor="end">0</text>
<rect x="${LEFT}" y="${y}" width="${WIDTH}" height="${CHART}" fill="none" stroke="#ddd"/>${lines.join('')}`;
}

function clock({ beganAt, endedAt }: TimelinePage, x: (at: number) => number, height: number): string {
  const length = (endedAt - beganAt) / 1000;
  const step = [10, 30, 60, 120, 300, 600, 1800].find((each) => length / each <= 16) ?? 3600;
  const marks = Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => i * step);
  return marks
    .map((second) => `<text x="${x(beganAt + second * 1000).toFixed(1)}" y="${height - 6}" text-anchor="middle">${second} s</text>`)
    .join('');
}

const table = (rows: TimelinePage['figures']): string =>
  `<table>${rows.map(([name, value]) => `<tr><td>${text(name)}<td>${rich(String(value))}`).join('\n')}</table>`;

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

const text = (raw: string): string => raw.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** As in the report, where `words` are set in backquotes. */
const rich = (raw: string): string => text(raw).replace(/`([^`]*)`/g, '<code>$1</code>');
