import { setTimeout as sleep } from 'node:timers/promises';
import type { DirectQuery } from './direct-queries';
import type { SearchQuery, QueryKind } from './search-queries';
import type { SearchServiceClient } from './search-service.client';

/** Asks the next question; gives the milliseconds that it took. */
export type Ask = () => Promise<number>;

/** SearchService/Search, one after the other; of a kind with pages each page is one. */
export function askSearch(client: SearchServiceClient, token: string, { queries, pages = 0 }: QueryKind): Ask {
  let at = 0;
  let page = 0;
  let pageToken = '';
  const next = (): SearchQuery & { pageToken?: string } => {
    if (pages === 0) return queries[at++ % queries.length] as SearchQuery;
    if (page >= pages || (page > 0 && pageToken === '')) [page, pageToken] = [0, ''];
    page += 1;
    return { ...(queries[0] as SearchQuery), pageToken };
  };
  return async () => {
    const query = next();
    const begin = performance.now();
    const answer = await client.search(token, query);
    const took = performance.now() - begin;
    if (answer.degraded) throw new Error(`a degraded answer: ${answer.degradedReason}`);
    pageToken = answer.nextPageToken;
    return took;
  };
}

/** The same sent straight to Elasticsearch, over connections that are kept. */
export function askElasticsearch(url: string, searched: string, queries: readonly DirectQuery[]): Ask {
  const bodies = queries.map(({ body }) => JSON.stringify(body));
  const target = new URL(`/${encodeURIComponent(searched)}/_search`, url);
  let at = 0;
  return async () => {
    const body = bodies[at++ % bodies.length] ?? '';
    const begin = performance.now();
    const response = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    await response.json();
    const took = performance.now() - begin;
    if (!response.ok) throw new Error(`Elasticsearch answered ${response.status} to ${body}`);
    return took;
  };
}

/** So many, one after the other, a pause before: what the one before left to do does not count here. */
export async function askMany(ask: Ask, times: number): Promise<number[]> {
  await sleep(50);
  const took: number[] = [];
  while (took.length < times) took.push(await ask());
  return took;
}
