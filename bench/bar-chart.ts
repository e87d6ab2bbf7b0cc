export interface BarChart {
  title: string;
  /** What bars stand together for. */
  groups: readonly string[];
  /** A value for each group; NaN: there is none. */
  series: readonly { name: string; color: string; values: readonly number[] }[];
}

const WIDTH = 820;
const LABELS = 150;
const VALUES = 70;
const BAR = 14;
const GAP = 12;
const TOP = 64;
const LEGEND = 200;

/** Lying bars as a standalone SVG, on light and dark pages alike. */
export function barChart({ title, groups, series }: BarChart): string {
  const shown = series.filter(({ values }) => values.some((value) => !Number.isNaN(value)));
  const most = Math.max(...shown.flatMap(({ values }) => values.filter((value) => !Number.isNaN(value))), Number.MIN_VALUE);
  const groupHeight = shown.length * BAR + GAP;
  const height = TOP + groups.length * groupHeight;
  const bars = groups.flatMap((group, at) => {
    const top = TOP + at * groupHeight;
    const label = text(LABELS - 8, top + (groupHeight - GAP) / 2 + 4, group, 'end');
    return [label, ...shown.map(({ color, values }, number) => bar(top + number * BAR, color, values[at] ?? NaN, most))];
  });
  const apart = Math.min(LEGEND, (WIDTH - LABELS) / shown.length);
  const legend = shown.flatMap(({ name, color }, number) => [
    `<rect x="${LABELS + number * apart}" y="36" width="12" height="12" fill="${color}"/>`,
    text(LABELS + number * apart + 18, 46, name),
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    `<title>${escaped(title)}</title>`,
    `<text x="${LABELS}" y="22" font-size="15" fill="#222222">${escaped(title)}</text>`,
    ...legend,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

function bar(top: number, color: string, value: number, most: number): string {
  if (Number.isNaN(value)) return '';
  const width = Math.max(1, (value / most) * (WIDTH - LABELS - VALUES));
  const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
  const rectangle = `<rect x="${LABELS}" y="${top}" width="${width.toFixed(1)}" height="${BAR - 2}" fill="${color}"/>`;
  return `${rectangle}${text(LABELS + width + 6, top + BAR - 4, shown)}`;
}

const text = (x: number, y: number, value: string, anchor = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="#222222">${escaped(value)}</text>`;

const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
