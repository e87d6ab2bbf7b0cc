import type { Kind } from '../search.engine';

/** A clause of Elasticsearch's query language. */
export type Clause = Readonly<Record<string, unknown>>;

declare const bound: unique symbol;

/** A query that cannot see more than it may: made here only, and the only one that the client sends. */
export type BoundQuery = Clause & { readonly [bound]: true };

export interface Scope {
  tenant: string;
  /** Never empty. */
  kinds: readonly Kind[];
}

/**
 * Every query of a caller: what is asked, limited to the documents of one tenant, of the kinds that the caller may see,
 * that are not deleted. The limits are filters beside what is asked, which cannot reach around them.
 */
export function tenantQuery({ tenant, kinds }: Scope, asked: Clause): BoundQuery {
  if (tenant === '') throw new Error('a query without a tenant');
  return {
    bool: {
      filter: [{ term: { tenant } }, { terms: { kind: [...kinds] } }],
      must_not: [{ exists: { field: 'deleted_at' } }],
      must: [asked],
    },
  } as unknown as BoundQuery;
}

/** The checkpoints of the feeds, which belong to no tenant, and no document with them. */
export const checkpointQuery = (): BoundQuery =>
  ({ bool: { filter: [{ exists: { field: 'source' } }], must_not: [{ exists: { field: 'tenant' } }] } }) as unknown as BoundQuery;

/** Deletions remembered since before then, of all tenants: to forget them. */
export const forgottenQuery = (beforeMs: number): BoundQuery =>
  ({ bool: { filter: [{ range: { deleted_at: { lt: beforeMs } } }] } }) as unknown as BoundQuery;

/** Everything in an index that was written after so many writes to the shard: to copy it into another index. */
export const copyQuery = (afterWrite: number): BoundQuery => ({ range: { _seq_no: { gt: afterWrite } } }) as unknown as BoundQuery;
