import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { magicRecipients } from '../../tools/sink/magic-recipients';

const DOCUMENT = join(__dirname, '..', '..', 'docs', 'sandbox.md');
const code = (text: string): string => (text === '' ? '' : `\`${text}\``);

/** The cells of the table about recipients, whatever its layout. */
function documented(): string[][] {
  const lines = readFileSync(DOCUMENT, 'utf8').split('\n');
  const rows = lines.filter((line) => /^\| `\S+@` /.test(line));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('docs/sandbox.md has every magic recipient of the sink, as the sink has it', () => {
  const rows = magicRecipients.map(({ name, does, states, reason }) => [
    code(`${name}@`),
    does,
    states.map(code).join(', then '),
    code(reason),
  ]);
  expect(documented()).toEqual(rows);
});
