import type { QueryNode } from '../../query/query';
import { Parameters } from './parameters';
import { whereSql } from './where.statement';

const text = (value: string): QueryNode => ({ kind: 'text', text: value, match: 'phrase' });
const sent: QueryNode = { kind: 'equals', field: 'status', values: ['sent'] };

/** With its parameters: $1 is the tenant. */
function sqlOf(where: QueryNode) {
  const parameters = new Parameters();
  const tenant = parameters.add('acme');
  return { sql: whereSql(where, tenant, parameters), values: parameters.values.slice(1) };
}

test('texts that stand together are one look into the index', () => {
  const where: QueryNode = { kind: 'all', of: [text('a'), { kind: 'any', of: [text('b'), text('c')] }, { kind: 'not', of: text('d') }] };
  expect(sqlOf(where)).toEqual({ sql: 'd.terms @@ $2::tsquery', values: [`('a' & ('b' | 'c') & !('d'))`] });
});

test('texts beside other conditions are joined first', () => {
  expect(sqlOf({ kind: 'all', of: [text('a'), sent, text('b')] })).toEqual({
    sql: '(d.terms @@ $3::tsquery and d.attributes @> $2::jsonb)',
    values: ['{"status":["sent"]}', `('a' & 'b')`],
  });
});

test.each<[QueryNode, string]>([
  [{ kind: 'all', of: [] }, 'true'],
  [{ kind: 'any', of: [] }, 'false'],
  [{ kind: 'not', of: { kind: 'any', of: [] } }, 'true'],
  [text('!!'), 'true'],
  [{ kind: 'all', of: [text('!!'), { kind: 'any', of: [] }] }, 'false'],
  [{ kind: 'any', of: [sent, text('!!')] }, 'true'],
  [{ kind: 'equals', field: 'status', values: [] }, 'false'],
])('what is known beforehand is not asked: %j', (where, sql) => {
  expect(sqlOf(where).sql).toBe(sql);
});

test('values of columns and of attributes are parameters', () => {
  expect(sqlOf({ kind: 'equals', field: 'id', values: ["'; --"] })).toEqual({ sql: 'd.id = any($2::text[])', values: [["'; --"]] });
  expect(sqlOf({ kind: 'equals', field: `x') or ('`, values: ['a', 'b\u0000'] })).toEqual({
    sql: '(d.attributes @> $2::jsonb or d.attributes @> $3::jsonb)',
    values: [`{"x') or ('":["a"]}`, `{"x') or ('":["b\ufffd"]}`],
  });
  expect(sqlOf({ kind: 'equals', field: '__proto__', values: ['a'] }).values).toEqual(['{"__proto__":["a"]}']);
});

test.each([
  ['>', 10.5, 10],
  ['>=', 10.5, 11],
  ['<', 10.5, 11],
  ['<=', 10.5, 10],
  ['>=', 1e300, 2 ** 53],
] as const)('a time %s %d is compared as a whole number, %d', (comparison, value, bound) => {
  const { sql, values } = sqlOf({ kind: 'range', field: 'timestamp', comparison, value });
  expect(sql).toBe(`(d."timestamp" ${comparison} $2::bigint and d."timestamp" <> 0)`);
  expect(values).toEqual([bound]);
});

test('a misspelled word is looked for in the field that was asked', () => {
  const { sql, values } = sqlOf({ kind: 'text', text: 'bridgw', match: 'fuzzy', field: 'from' });
  expect(sql).toBe('d.id in (select document_fuzzy($1, $2, $3, $4, 2))');
  expect(values.slice(0, 2)).toEqual(['bridgw', 2]);
});
