import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { envExample, parts, settingsTable } from './settings.document';

const ROOT = join(__dirname, '..', '..');

/** `npm run generate:settings` writes them; otherwise they must be as the schemas have it. */
const documents: [file: string, text: string][] = [
  ['.env.example', envExample()],
  ['docs/settings.md', settingsTable()],
];

test.each(documents)('%s has every setting, as the schemas describe it', (file, text) => {
  const path = join(ROOT, file);
  if (process.env.WRITE_SETTINGS) writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('every setting is described', () => {
  const silent = parts.flatMap(({ settings }) => settings.filter(({ description }) => description === ''));
  expect(silent).toEqual([]);
});
