import type { Finding } from './finding';

const MARKS: Readonly<Record<Finding['state'], string>> = { ok: 'ok', warning: 'warning', failure: 'FAILURE' };
const MIN_TEXT_WIDTH = 40;

/**
 * A table for a terminal: a line for each finding, and what to do under each that is not ok.
 * @param width columns of the terminal
 */
export function report(title: string, findings: readonly Finding[], width: number): string {
  const whatWidth = Math.max(...findings.map(({ what }) => what.length));
  const indent = 2 + 9 + whatWidth + 2;
  const textWidth = Math.max(width - indent, MIN_TEXT_WIDTH);
  const lines = findings.flatMap(({ what, state, found, todo }) => [
    ...wrapped(found, textWidth, `  ${MARKS[state].padEnd(9)}${what.padEnd(whatWidth)}  `),
    ...(todo === undefined ? [] : wrapped(`what to do: ${todo}`, textWidth, ' '.repeat(indent))),
  ]);
  return [`Checked ${title}:`, '', ...lines, '', summary(findings), ''].join('\n');
}

function summary(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  if (failures + warnings === 0) return `All ${findings.length} are ok.`;
  return `${failures} of ${findings.length} failed, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`;
}

/** Lines of so many characters, broken at blanks; the first begins with `head`, the others with as many blanks. */
function wrapped(text: string, width: number, head: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((text, at) => `${at === 0 ? head : ' '.repeat(head.length)}${text}`);
}
