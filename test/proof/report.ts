import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { timelinePage } from '#faults/timeline-page';
import type { Cell, Figure, Findings, Round } from './round';

const ROOT = resolve(__dirname, '../../..');

export interface RoundRun {
  name: string;
  round: Round;
  command: string;
  seed: number;
  count: number;
  concurrency: number;
  beganAt: Date;
  seconds: number;
  machine: Figure[];
}

/** What a run ran on; taken before it begins, so that the load is that of others. */
export const machine = (): Figure[] => [
  ['machine', `${cpus().length} × ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
  ['Node', process.version],
  ['commit', commit()],
  ['load average before', (loadavg()[0] ?? NaN).toFixed(2)],
];

/** One line that says how it ended. */
export function verdict({ invariants }: Findings): string {
  const fallen = invariants.filter(({ holds }) => !holds);
  return fallen.length === 0 ? 'held: everything below' : `FELL: ${fallen.map(({ text }) => text).join('; ')}`;
}

/**
 * Writes `<date>-<round>.md`, over one of the same day, and the page of the timeline and the picture beside it, where there are any.
 * @param folder from the root of the repository on
 * @returns the path of the report
 */
export function writeReport(run: RoundRun, findings: Findings, folder: string): string {
  const path = join(folder, `${run.beganAt.toISOString().slice(0, 10)}-${run.name}`);
  mkdirSync(resolve(ROOT, folder), { recursive: true });
  writeFileSync(resolve(ROOT, `${path}.md`), report(run, findings));
  if (findings.timeline) writeFileSync(resolve(ROOT, `${path}.html`), page(run, findings, findings.timeline));
  if (findings.picture) writeFileSync(resolve(ROOT, `${path}.svg`), findings.picture.svg);
  return `${path}.md`;
}

function page(run: RoundRun, findings: Findings, timeline: NonNullable<Findings['timeline']>): string {
  const { settings, ...rest } = findings;
  return timelinePage({ title: titleOf(run), verdict: verdict(findings), ...rest, settings: settingsOf(run, settings), ...timeline });
}

const titleOf = ({ name, round }: RoundRun): string => `Proof ${name}: ${round.title}`;

function settingsOf(run: RoundRun, more: readonly Figure[]): Figure[] {
  const { round, count, concurrency, beganAt, seconds } = run;
  return [
    ['command', `\`${run.command}\``],
    ['seed', run.seed],
    [round.count.of, count],
    [round.concurrency.of, concurrency],
    ['begun', `${beganAt.toISOString().slice(0, 19)}Z, for ${seconds.toFixed(0)} s`],
    ...run.machine,
    ...more,
  ];
}

function report(run: RoundRun, findings: Findings): string {
  const beside = `${run.beganAt.toISOString().slice(0, 10)}-${run.name}`;
  const settings = settingsOf(run, findings.settings);
  const sections = [
    `# Proof \`${run.name}\`: ${run.round.title}`,
    `**Verdict: ${verdict(findings)}**`,
    run.round.does,
    ...(findings.timeline ? [`The timeline is drawn in [a page](${beside}.html).`] : []),
    table(['setting', ''], settings),
    '## What had to hold',
    findings.invariants.map(({ holds, text }) => `- ${holds ? 'held' : '**FELL**'}: ${text}`).join('\n'),
    '## Figures',
    table(['figure', ''], findings.figures),
    ...(findings.picture ? [`![${findings.picture.title}](${beside}.svg)`] : []),
    ...(findings.tables ?? []).flatMap(({ title, columns, rows }) => [`## ${title}`, table(columns, rows)]),
    '## How it was counted',
    findings.notes.map((note) => `- ${note}`).join('\n'),
  ];
  return `${sections.join('\n\n')}\n`;
}

const table = (columns: readonly string[], rows: readonly (readonly Cell[])[]): string =>
  [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function commit(): string {
  try {
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    return (
      git('rev-parse', '--short', 'HEAD') +
      (git('status', '--porcelain', '--', 'apps', 'libs', 'tools') === '' ? '' : ' and changes not committed')
    );
  } catch {
    return 'not known';
  }
}
