import type { Statement } from '@sky-genesis/database';
import type { QueryNode } from '../../query/query';
import { positiveTexts } from '../../text/positive-texts';
import { fuzzyWordOf } from '../../text/fuzzy-word';
import type { SearchQuestion, Sort } from '../search.engine';
import { Parameters } from './parameters';
import type { Position } from './position';
import { rankingOf, tsqueryOf } from './tsquery';
import { whereSql } from './where.statement';

/** Totals are exact up to here. */
export const MAX_TOTAL = 10_000;
export const MAX_FACET_VALUES = 20;
/** What a word counts in the title, in attributes, and where the content repeats it; D is not used in `ranked`. */
const WEIGHTS = '{0, 0.1, 0.4, 1}';
/** What a match counts that nothing else is known of: a word that the content says once. */
const BASE_RANK = 0.05;
const FUZZY_WEIGHT = 0.3;

const ORDERS: Record<Sort, string> = {
  relevance: 'rank desc, "timestamp" desc, id',
  newest: '"timestamp" desc, id',
  oldest: '"timestamp", id',
};

type Question = Pick<SearchQuestion, 'tenant' | 'kinds' | 'where' | 'sort' | 'limit' | 'offset' | 'facets'>;

/** A page of hits, and one more where there is more. */
export function pageStatement(question: Question, after: Position | undefined): Statement {
  const parameters = new Parameters();
  const conditions = [matching(question, parameters)];
  const rank = rankSql(question, parameters);
  if (after) conditions.push(`pg_visible_in_snapshot(d.placed_xid, ${parameters.add(after.snapshot)}::pg_snapshot)`);
  const order = rank === undefined && question.sort === 'relevance' ? ORDERS.newest : ORDERS[question.sort];
  const text = `
    with page as (
      select * from (select d.id, d."timestamp", ${rank ?? '0::float8'} as rank from document d where ${conditions.join(' and ')}) m
      ${after ? `where ${behind(after, rank === undefined && question.sort === 'relevance' ? 'newest' : question.sort, parameters)}` : ''}
      order by ${order} limit ${parameters.add(question.limit + 1)} offset ${parameters.add(question.offset)}
    )
    select d.id, d.kind, d.title, d.beginning, d.url, d.attributes, d."timestamp"::float8 as "timestamp", page.rank,
      pg_current_snapshot()::text as snapshot
    from page join document d on d.tenant = $1 and d.id = page.id order by ${order.replaceAll(/(rank|"timestamp"|id)/g, 'page.$1')}`;
  return { text, values: parameters.values };
}

/** How many there are, counted up to one more than is told. */
export function totalStatement(question: Question): Statement {
  const parameters = new Parameters();
  const text = `select count(*)::int as total from (select from document d where ${matching(question, parameters)} limit ${MAX_TOTAL + 1}) m`;
  return { text, values: parameters.values };
}

/** The most frequent values of each facet: its number, a value, a count. */
export function facetStatement(question: Question): Statement {
  const parameters = new Parameters();
  const where = matching(question, parameters);
  const columns = question.facets.map((field, i) =>
    field === 'kind' ? `d.kind as f${i}` : `d.attributes -> ${parameters.add(field)}::text as f${i}`,
  );
  const counts = question.facets.map((field, i) => {
    const values =
      field === 'kind'
        ? `select f${i} as value from matched`
        : `select v.value from matched, lateral (select distinct e.value from jsonb_array_elements_text(f${i}) e) v`;
    return `(select ${i} as facet, value, count(*)::int as count from (${values}) c group by value
      order by count desc, value collate "C" limit ${MAX_FACET_VALUES})`;
  });
  const text = `with matched as materialized (select ${columns.join(', ')} from document d where ${where}) ${counts.join(' union all ')}`;
  return { text, values: parameters.values };
}

/** @returns whether the texts of the question rank what they find */
export const isRanked = (question: Pick<Question, 'where'>): boolean => rankingOf(positiveTexts(question.where)) !== undefined;

/** The tenant is $1 everywhere. */
function matching({ tenant, kinds, where }: Question, parameters: Parameters): string {
  const owner = parameters.add(tenant);
  const visible = `d.deleted_at is null and d.kind = any(${parameters.add(kinds)}::text[])`;
  return `${owned(where, owner)} and ${visible} and ${whereSql(where, owner, parameters)}`;
}

/**
 * The tenant as an index has it. Where words are required, as the index of words has it: by any other index the terms of
 * every row would be read. Where nothing is in that index, as the others have it.
 */
function owned(where: QueryNode, owner: string): string {
  const [plain, indexed] = [`d.tenant = ${owner}`, `d.tenant || '' = ${owner}`];
  if (requiresWords(where)) return indexed;
  return mentionsIndexed(where) ? `${plain} and ${indexed}` : plain;
}

function requiresWords(node: QueryNode): boolean {
  if (node.kind === 'all') return node.of.some(requiresWords);
  if (node.kind === 'any') return node.of.length > 0 && node.of.every(requiresWords);
  return node.kind === 'text' && node.match !== 'fuzzy' && tsqueryOf(node) !== undefined;
}

function mentionsIndexed(node: QueryNode): boolean {
  if (node.kind === 'all' || node.kind === 'any') return node.of.some(mentionsIndexed);
  return node.kind === 'not' ? mentionsIndexed(node.of) : node.kind !== 'range';
}

/** Of the document and the question alone; undefined where nothing can be ranked. */
function rankSql({ where }: Question, parameters: Parameters): string | undefined {
  const texts = positiveTexts(where);
  const ranking = rankingOf(texts);
  if (ranking === undefined) return undefined;
  const fuzzy = texts.flatMap((text) => (text.match === 'fuzzy' ? (fuzzyWordOf(text.text)?.word ?? []) : []));
  const similar = fuzzy.map((word) => ` + ${FUZZY_WEIGHT} * word_similarity(${parameters.add(word)}, d.names)`);
  return `(${BASE_RANK} + ts_rank('${WEIGHTS}', d.ranked, ${parameters.add(ranking)}::tsquery)${similar.join('')})::float8`;
}

function behind({ rank, timestamp, id }: Position, sort: Sort, parameters: Parameters): string {
  const time = `${parameters.add(timestamp)}::bigint`;
  const afterId = `id > ${parameters.add(id)}`;
  // Said twice, so that an index on the time can begin there.
  if (sort === 'newest') return `"timestamp" <= ${time} and ("timestamp" < ${time} or ${afterId})`;
  if (sort === 'oldest') return `"timestamp" >= ${time} and ("timestamp" > ${time} or ${afterId})`;
  const at = `${parameters.add(rank)}::float8`;
  return `rank <= ${at} and (rank < ${at} or "timestamp" < ${time} or "timestamp" = ${time} and ${afterId})`;
}
