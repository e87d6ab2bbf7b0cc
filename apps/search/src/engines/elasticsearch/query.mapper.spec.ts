import type { QueryNode } from '../../query/query';
import { clauseOf, isRanked } from './query.mapper';

const text = (over: Partial<Extract<QueryNode, { kind: 'text' }>>): QueryNode => ({
  kind: 'text',
  text: 'harbour',
  match: 'phrase',
  ...over,
});

describe('a text', () => {
  test('counts most in the title, more in attributes than in the content', () => {
    const { dis_max } = clauseOf(text({})) as { dis_max: { queries: { match_phrase: Record<string, { boost: number }> }[] } };
    const weights = Object.fromEntries(
      dis_max.queries.flatMap(({ match_phrase }) => Object.entries(match_phrase).map(([f, { boost }]) => [f, boost])),
    );
    expect(Object.keys(weights)).toEqual(['title', 'from', 'to', 'cc', 'bcc', 'filename', 'content']);
    expect(weights['title']).toBeGreaterThan(weights['from'] ?? 0);
    expect(weights['from']).toBeGreaterThan(weights['content'] ?? 0);
  });

  test('with a field is looked for in that field only', () => {
    expect(clauseOf(text({ field: 'to' }))).toEqual({ match_phrase: { to: { query: 'harbour', boost: 3 } } });
  });

  test('a lone word goes on as any other; the last one of several as a bounded number', () => {
    expect(clauseOf(text({ field: 'title', match: 'prefix' }))).toEqual({ match_bool_prefix: { title: { query: 'harbour', boost: 8 } } });
    for (const several of ['node.js', '東京']) {
      expect(clauseOf(text({ field: 'title', match: 'prefix', text: several }))).toEqual({
        match_phrase_prefix: { title: { query: several, boost: 8, max_expansions: 512 } },
      });
    }
  });

  test('fuzzy is looked for in the title and the attributes, never in the content', () => {
    expect(JSON.stringify(clauseOf(text({ match: 'fuzzy' })))).not.toContain('content');
    expect(clauseOf(text({ match: 'fuzzy', field: 'content' }))).toEqual({ match_none: {} });
  });

  test.each(['', ' ', '.', '-- "', '\u200b'])('without any word (%j) holds everywhere', (empty) => {
    expect(clauseOf(text({ text: empty }))).toEqual({ bool: { filter: [{ match_all: {} }] } });
  });
});

describe('equals and ranges', () => {
  test('only hold: they add nothing to the score', () => {
    expect(clauseOf({ kind: 'equals', field: 'status', values: ['sent'] })).toEqual({
      bool: { filter: [{ terms: { 'attributes.status': ['sent'] } }] },
    });
  });

  test.each(['id', 'kind', 'url'])('%s is no attribute', (field) => {
    expect(JSON.stringify(clauseOf({ kind: 'equals', field, values: ['x'] }))).toContain(`"terms":{"${field}"`);
  });

  test.each(['tenant', 'deleted_at', '_id', 'numbers.name'])('%s can be asked for as an attribute only', (field) => {
    expect(JSON.stringify(clauseOf({ kind: 'equals', field, values: ['x'] }))).toContain(`"attributes.${field}"`);
    expect(JSON.stringify(clauseOf({ kind: 'range', field, comparison: '>', value: 1 }))).not.toContain(`"range":{"${field}"`);
  });

  test('a value that no document can have holds nowhere', () => {
    expect(clauseOf({ kind: 'equals', field: 'status', values: ['x'.repeat(40_000)] })).toEqual({ bool: { filter: [{ match_none: {} }] } });
  });
});

describe('trees', () => {
  test('of none: all holds, any does not', () => {
    expect(clauseOf({ kind: 'all', of: [] })).toEqual({ bool: { filter: [{ match_all: {} }] } });
    expect(clauseOf({ kind: 'any', of: [] })).toEqual({ match_none: {} });
  });

  test('are ranked where a text is looked for, and not where it is only left out', () => {
    const equals: QueryNode = { kind: 'equals', field: 'status', values: ['sent'] };
    expect(isRanked({ kind: 'all', of: [equals, { kind: 'any', of: [equals, text({})] }] })).toBe(true);
    expect(isRanked({ kind: 'all', of: [equals, { kind: 'not', of: text({}) }] })).toBe(false);
    expect(isRanked(text({ text: '...' }))).toBe(false);
  });
});
