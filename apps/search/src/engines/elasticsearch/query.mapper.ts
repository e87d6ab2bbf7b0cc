import { type Comparison, type QueryNode, textAttributes, type TextField } from '../../query/query';
import type { Clause } from './tenant-query';

/** A word in the title counts for more than one in all attributes together and in the content. */
const weights: Record<TextField, number> = { title: 8, from: 3, to: 3, cc: 3, bcc: 3, filename: 3, content: 1 };
const bareFields: readonly TextField[] = ['title', ...textAttributes, 'content'];
const fuzzyFields: readonly TextField[] = ['title', ...textAttributes];

/** What the other fields that hold a word add to the best one of them. */
const TIE_BREAKER = 0.05;
/** Words that the last one of a phrase may go on as; a lone word may go on as any. */
const MAX_PREFIX_EXPANSIONS = 512;
const MAX_FUZZY_EXPANSIONS = 50;
/** No attribute has longer values: these hold nowhere, and Elasticsearch refuses them from 32 KiB on. */
const MAX_VALUE_BYTES = 2048;

const EVERYTHING: Clause = { match_all: {} };
const NOTHING: Clause = { match_none: {} };
/** What can be a word; a text without it only separates. */
const WORD = /[\p{L}\p{N}\p{So}]/u;
const LONE_WORD = /^[^\p{L}\p{N}\p{M}\p{So}]*[\p{L}\p{N}\p{M}]+[^\p{L}\p{N}\p{M}\p{So}]*$/u;
const BIGRAMS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const comparisons: Record<Comparison, string> = { '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte' };

/** Whether there is anything that one document can have more of than another. */
export function isRanked(node: QueryNode): boolean {
  switch (node.kind) {
    case 'all':
    case 'any':
      return node.of.some(isRanked);
    case 'text':
      return WORD.test(node.text);
    default:
      return false;
  }
}

/** The query for a tree: text adds to the score, all else only holds or does not. */
export function clauseOf(node: QueryNode): Clause {
  switch (node.kind) {
    case 'all':
      return allOf(node.of);
    case 'any':
      return node.of.length === 0 ? NOTHING : { bool: { should: node.of.map(clauseOf), minimum_should_match: 1 } };
    case 'not':
      return { bool: { must_not: [clauseOf(node.of)] } };
    case 'text':
      return WORD.test(node.text) ? textClause(node) : unranked(EVERYTHING);
    case 'equals':
      return unranked(equalsClause(node.field, node.values));
    case 'range':
      return unranked(rangeClause(node.field, { [comparisons[node.comparison]]: node.value }));
  }
}

const unranked = (clause: Clause): Clause => ({ bool: { filter: [clause] } });

function allOf(nodes: readonly QueryNode[]): Clause {
  if (nodes.length === 0) return unranked(EVERYTHING);
  return { bool: { must: nodes.map(clauseOf) } };
}

/** In each field by itself: a phrase does not go on from one field, or value, into the next. */
function textClause({ field, text, match }: Extract<QueryNode, { kind: 'text' }>): Clause {
  if (match === 'fuzzy') {
    const fields = fuzzyFields.filter((each) => field === undefined || each === field);
    return fields.length === 0 ? NOTHING : bestOf(fields, (each) => fuzzyClause(each, text));
  }
  const fields = field === undefined ? bareFields : [field];
  if (match === 'phrase') return bestOf(fields, (each) => ({ match_phrase: { [each]: said(each, text) } }));
  const lone = LONE_WORD.test(text) && !BIGRAMS.test(text);
  return bestOf(fields, (each) =>
    lone
      ? { match_bool_prefix: { [each]: said(each, text) } }
      : { match_phrase_prefix: { [each]: { ...said(each, text), max_expansions: MAX_PREFIX_EXPANSIONS } } },
  );
}

const said = (field: TextField, text: string) => ({ query: text, boost: weights[field] });

const fuzzyClause = (field: TextField, text: string): Clause => ({
  match: { [field]: { ...said(field, text), operator: 'and', fuzziness: 'AUTO', max_expansions: MAX_FUZZY_EXPANSIONS } },
});

const bestOf = (fields: readonly TextField[], clause: (field: TextField) => Clause): Clause =>
  fields.length === 1 && fields[0] ? clause(fields[0]) : { dis_max: { queries: fields.map(clause), tie_breaker: TIE_BREAKER } };

function equalsClause(field: string, values: readonly string[]): Clause {
  const possible = values.filter((value) => Buffer.byteLength(value) <= MAX_VALUE_BYTES);
  return possible.length === 0 ? NOTHING : { terms: { [exactField(field)]: possible } };
}

/** Where a field's values are kept exactly as given. */
export const exactField = (field: string): string =>
  field === 'kind' || field === 'id' || field === 'url' ? field : `attributes.${field}`;

function rangeClause(field: string, range: Record<string, number>): Clause {
  if (field === 'size') return { range: { size: range } };
  // 0 is no time, and so not before any.
  if (field === 'timestamp') return { bool: { filter: [{ range: { timestamp: range } }], must_not: [{ term: { timestamp: 0 } }] } };
  const query = { bool: { filter: [{ term: { 'numbers.name': field } }, { range: { 'numbers.value': range } }] } };
  return { nested: { path: 'numbers', query, score_mode: 'none' } };
}
