export interface LineChart {
  title: string;
  /** Of the values; points are in seconds from the beginning on. */
  unit: string;
  series: readonly { name: string; color: string; points: readonly (readonly [x: number, y: number])[] }[];
  /** What began when. */
  marks: readonly { x: number; text: string }[];
}

const WIDTH = 1000;
const HEIGHT = 420;
const LEFT = 60;
const RIGHT = 20;
const TOP = 110;
const BOTTOM = 40;
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const MOST_LINES = 12;

/** Lines over time as a standalone SVG, on light and dark pages alike. The values begin at 0. */
export function lineChart({ title, unit, series, marks }: LineChart): string {
  const points = series.flatMap((line) => line.points);
  const mostX = Math.max(...points.map(([x]) => x), 1);
  const mostY = Math.max(...points.map(([, y]) => y).filter((y) => !Number.isNaN(y)), 1) * 1.1;
  const xOf = (x: number): number => LEFT + (x / mostX) * (WIDTH - LEFT - RIGHT);
  const yOf = (y: number): number => HEIGHT - BOTTOM - (y / mostY) * (HEIGHT - TOP - BOTTOM);
  const rows = ticks(mostY).map(
    (y) => `<path d="M${LEFT} ${round(yOf(y))}H${WIDTH - RIGHT}" stroke="#e4e4e4"/>${text(LEFT - 8, yOf(y) + 4, String(y), 'end')}`,
  );
  const columns = ticks(mostX).map((x) => text(xOf(x), HEIGHT - BOTTOM + 18, `${x} s`, 'middle'));
  const began = marks.map(({ x, text: what }) => {
    const at = round(xOf(x));
    const label = `<text transform="translate(${at + 3} ${TOP - 4}) rotate(-25)" fill="#222222">${escaped(what)}</text>`;
    return `<path d="M${at} ${TOP}V${HEIGHT - BOTTOM}" stroke="#999999" stroke-dasharray="3 3"/>${label}`;
  });
  const lines = series.map(({ color, points: ofLine }) => {
    const path = ofLine
      .filter(([, y]) => !Number.isNaN(y))
      .map(([x, y]) => `${round(xOf(x))} ${round(yOf(y))}`)
      .join('L');
    return `<path d="M${path}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  const legend = series.flatMap(({ name, color }, number) => [
    `<rect x="${LEFT + number * 120}" y="32" width="12" height="12" fill="${color}"/>`,
    text(LEFT + number * 120 + 18, 42, name),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<title>${escaped(title)}</title>`,
    `<text x="${LEFT}" y="20" font-size="15" fill="#222222">${escaped(`${title}, ${unit}`)}</text>`,
    ...legend,
    ...rows,
    ...columns,
    ...began,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function ticks(most: number): number[] {
  const step = STEPS.find((size) => most / size <= MOST_LINES) ?? most;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
}

const round = (value: number): number => Math.round(value * 10) / 10;

const text = (x: number, y: number, value: string, anchor = 'start'): string =>
  `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="#222222">${escaped(value)}</text>`;

const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
