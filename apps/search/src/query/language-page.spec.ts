import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOperator, statuses } from './operators';
import { parseFilters } from './parse-filters';
import { parseQuery } from './parse-query';

const page = readFileSync(join(__dirname, '../../../../docs/search.md'), 'utf8');
const section = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(title)) ?? '';
/** What stands as code in the first column of a section's first table. */
const written = (title: string): string[] => {
  const rows = (
    section(title)
      .split('\n\n')
      .find((part) => part.startsWith('| write')) ?? ''
  )
    .split('\n')
    .slice(2);
  const cells = rows.map((row) => row.split(/(?<!\\)\|/)[1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => (code ?? '').replaceAll('\\|', '|')));
};

test('what the page tells to write is read', () => {
  const queries = written('The query language');
  const filters = written('Filters');
  expect(queries.length).toBeGreaterThan(20);
  expect(filters.length).toBeGreaterThan(7);
  for (const query of queries) expect([query, parseQuery(query.endsWith(':') ? `${query}x` : query)]).toEqual([query, expect.anything()]);
  for (const filter of filters) expect([filter, parseFilters([filter])]).toEqual([filter, expect.anything()]);
});

test('the examples of the page are read', () => {
  const examples = section('The query language').match(/^ {4}.+$/gm) ?? [];
  expect(examples.length).toBeGreaterThan(2);
  for (const example of examples) expect(parseQuery(example.trim())).toHaveProperty('kind', 'all');
});

test('the page has every operator, and every status', () => {
  const names = written('The query language').flatMap((query) => query.split(':')[0] ?? []);
  expect(new Set(names.filter(isOperator))).toEqual(
    new Set('from to cc bcc subject body filename has is after before newer_than older_than larger smaller'.split(' ')),
  );
  for (const status of statuses) expect(section('The query language')).toContain(`\`${status}\``);
});
