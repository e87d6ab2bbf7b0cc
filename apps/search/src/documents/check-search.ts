import type { Caller } from '@sky-genesis/grpc/caller';
import { type FieldViolation, InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import type { Kind, Sort } from '../engines/search.engine';
import { checkFacets } from '../query/check-facets';
import { parseFilters } from '../query/parse-filters';
import { parseQuery } from '../query/parse-query';
import type { QueryNode } from '../query/query';
import { isId, MAX_ID_BYTES } from './check-document';
import type { SearchIdentity } from './page-token';

/** As the contract's SearchRequest: '' and 0 mean not given. */
export interface SearchQuery {
  query: string;
  filters: readonly string[];
  limit: number;
  offset: number;
  pageToken: string;
  facets: readonly string[];
  sort: string;
  waitForId: string;
  kinds: readonly string[];
}

/** A search as it may be carried out for its caller. */
export interface VisibleSearch {
  identity: SearchIdentity & { kinds: readonly Kind[] };
  where: QueryNode;
  sort: Sort;
  limit: number;
  offset: number;
  facets: readonly string[];
  /** '' for none. */
  waitForId: string;
}

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 10;
const MAX_OFFSET = 10_000;
const MAX_KINDS = 10;
const KINDS: readonly Kind[] = ['email', 'document'];
const SORTS: readonly Sort[] = ['relevance', 'newest', 'oldest'];
/** Emails are seen by whoever may read mail. */
const EMAIL_SCOPE = 'mail.read';

/**
 * What the caller may search for.
 * @param askedAt what relative times of the query count from
 * @throws InvalidArgumentError with everything that is wrong; RuleError SCOPE_MISSING for kinds asked for by name
 */
export function checkSearch(query: SearchQuery, caller: Caller, askedAt: Date): VisibleSearch {
  const violations: FieldViolation[] = [];
  const { limit, offset, pageToken, waitForId } = query;
  const report = (field: string, description: string) => violations.push({ field, description });
  if (limit < 0 || limit > MAX_LIMIT) report('limit', `must be 1 to ${MAX_LIMIT}, or 0 for ${DEFAULT_LIMIT}`);
  // With a page token it is ignored.
  if (pageToken === '' && (offset < 0 || offset > MAX_OFFSET)) {
    report('offset', `must be 0 to ${MAX_OFFSET}; go further by the page_token of each answer`);
  }
  if (waitForId !== '' && !isId(waitForId)) report('wait_for_id', `must be an id: 1 to ${MAX_ID_BYTES} bytes, without control characters`);
  const sort = oneOf(SORTS, query.sort || 'relevance');
  if (!sort) report('sort', `must be one of ${SORTS.join(', ')}`);
  const words = collect(() => parseQuery(query.query, askedAt), violations);
  const filters = collect(() => parseFilters(query.filters), violations);
  const facets = collect(() => checkFacets(query.facets), violations);
  const kinds = kindsOf(query.kinds, report);
  if (violations.length > 0 || !sort || !words || !filters || !facets) throw new InvalidArgumentError(violations);
  return {
    identity: { tenant: caller.tenant, kinds: visible(kinds, caller), query: query.query, filters: query.filters, sort },
    where: { kind: 'all', of: [words, filters] },
    sort,
    limit: limit || DEFAULT_LIMIT,
    offset: pageToken === '' ? offset : 0,
    facets,
    waitForId,
  };
}

/** Empty: all that the caller may see. */
function kindsOf(named: readonly string[], report: (field: string, description: string) => void): Kind[] {
  if (named.length > MAX_KINDS) {
    report('kinds', `must be at most ${MAX_KINDS}`);
    return [];
  }
  return named.flatMap((name, index) => {
    const kind = oneOf(KINDS, name);
    if (!kind) report(`kinds[${index}]`, `must be one of ${KINDS.join(', ')}`);
    return kind ?? [];
  });
}

function visible(named: readonly Kind[], { scopes }: Caller): readonly Kind[] {
  if (scopes.has(EMAIL_SCOPE)) return named.length === 0 ? KINDS : KINDS.filter((kind) => named.includes(kind));
  if (named.includes('email')) throw new RuleError('SCOPE_MISSING', `the token lacks the scope ${EMAIL_SCOPE}, which emails need`);
  return ['document'];
}

const oneOf = <Word extends string>(words: readonly Word[], text: string): Word | undefined => words.find((word) => word === text);

/** What is made, or undefined, its violations told with those of the other fields. */
function collect<Made>(make: () => Made, violations: FieldViolation[]): Made | undefined {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    violations.push(...(error.details.violations ?? []));
    return undefined;
  }
}
