import { eachOf } from './each-of';
import type { RestEntrance } from './rest.entrance';
import type { SearchEntrance, SearchQuestion } from './search.entrance';
import type { Acknowledged } from './search.sends';

const ASK_AT_ONCE = 16;

/** Everything of a tenant, beside what was acknowledged. */
export interface Inventory {
  found: number;
  twice: number;
  missing: number;
  /** Found, and never acknowledged. */
  others: number;
  /** Whose status is not what GET says. */
  unlike: number;
  /** What each page said of the total. */
  totals: ReadonlySet<number>;
  statuses: string[];
}

/** Every page there is, one after the other. @throws Error when a page is not answered, or only in part */
export async function inventory(
  search: SearchEntrance,
  question: SearchQuestion,
  acknowledged: readonly Acknowledged[],
  mail: RestEntrance,
): Promise<Inventory> {
  const statusOf = new Map<string, string>();
  const totals = new Set<number>();
  let found = 0;
  for (let token: string | undefined, first = true; first || token; first = false) {
    const reply = await search.ask({ ...question, limit: 100, ...(token !== undefined && { page_token: token }) });
    if (reply.kind === 'refused') throw new Error(`a page was answered by ${reply.status} ${reply.reason}`);
    if (reply.page.degraded) throw new Error(`a page was degraded: ${reply.page.degraded_reason}`);
    found += reply.page.results.length;
    totals.add(reply.page.total_count);
    for (const { id, attributes } of reply.page.results) statusOf.set(id, attributes['status']?.join(' ') ?? 'none');
    token = reply.page.next_page_token;
  }
  const ids = new Set(acknowledged.map(({ id }) => id));
  let unlike = 0;
  await eachOf(ids, ASK_AT_ONCE, async (id) => {
    const { status } = await mail.read(id);
    if (statusOf.has(id) && statusOf.get(id) !== status) unlike++;
  });
  return {
    found,
    twice: found - statusOf.size,
    missing: [...ids].filter((id) => !statusOf.has(id)).length,
    others: [...statusOf.keys()].filter((id) => !ids.has(id)).length,
    unlike,
    totals,
    statuses: [...statusOf.values()],
  };
}
