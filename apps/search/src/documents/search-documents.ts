import type { Caller } from '@sky-genesis/grpc/caller';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { type Answer, EngineUnavailableError, PositionLostError, type SearchEngine, type SearchQuestion } from '../engines/search.engine';
import { checkSearch, type SearchQuery, type VisibleSearch } from './check-search';
import { type DegradedSearch, MAIL } from './degraded-search';
import type { FindableQueue } from './findable.queue';
import { fitAnswer } from './fit-answer';
import type { IndexedThrough } from './indexed-through';
import type { PagePosition, PageTokens } from './page-token';
import { searchUnavailable } from './search-unavailable';

/** What a search has beside its question. */
export interface SearchCall {
  /** `authorization` as it came. */
  authorization: string | undefined;
  /** When the caller gives up, in unix milliseconds; Infinity where it does not say. */
  deadline: number;
  signal: AbortSignal;
}

export interface FoundDocuments extends Answer {
  nextPageToken: string;
  queryTimeMs: number;
  /** 0: nothing is claimed. */
  indexedThroughMs: number;
}

/** One page of a search on its way. */
interface Page {
  search: VisibleSearch;
  after: PagePosition | undefined;
  /** Unix milliseconds. */
  askedAt: number;
  call: SearchCall;
}

export interface SearchLimits {
  /** An answer with larger results has fewer of them, and a page token. */
  answerBytes: number;
  /** The longest that a search may take. */
  timeoutMs: number;
}

/** What is kept of the time for the answer itself to be made and sent; of a short time, a quarter. */
const RESERVE_MS = 250;
/** How long an engine is waited for that did not answer when it was last asked. */
const WAIT_FOR_AWAY_MS = 1000;
/** What an engine may take of the time there is, so that mail can still answer where it hangs. */
const SHARE_OF_ENGINE = 2 / 3;

/** Answers searches: from the engine, and where that is away from mail; never with less than was asked for in silence. */
export class SearchDocuments {
  constructor(
    private readonly engine: SearchEngine & { readonly isUp: boolean },
    private readonly indexedThrough: IndexedThrough,
    private readonly findable: FindableQueue,
    private readonly degraded: DegradedSearch,
    private readonly tokens: PageTokens,
    private readonly limits: SearchLimits,
  ) {}

  /**
   * @throws InvalidArgumentError; RuleError SCOPE_MISSING, SEARCH_UNAVAILABLE, NOT_FINDABLE_YET, PAGE_TOKEN_EXPIRED, OVERLOADED
   */
  async search(query: SearchQuery, caller: Caller, call: SearchCall): Promise<FoundDocuments> {
    const now = Date.now();
    let search = checkSearch(query, caller, new Date(now));
    const after = query.pageToken === '' ? undefined : this.tokens.open(query.pageToken, search.identity);
    if (after) search = checkSearch(query, caller, new Date(after.askedAt));
    const page: Page = {
      search,
      after,
      askedAt: after?.askedAt ?? now,
      call: { ...call, deadline: Math.min(call.deadline, now + this.limits.timeoutMs) },
    };
    if (after?.from === MAIL) return this.searchMail(page);
    if (after && after.from !== this.engine.name) throw new RuleError('PAGE_TOKEN_EXPIRED');
    try {
      if (query.waitForId !== '') await this.waitFor(page);
      return await this.searchEngine(page);
    } catch (error) {
      if (error instanceof PositionLostError) throw new RuleError('PAGE_TOKEN_EXPIRED');
      if (!isUnavailable(error)) throw error;
      // Only the engine knows where this search was.
      if (after) throw searchUnavailable();
      return this.searchMail(page);
    }
  }

  private waitFor({ search, call: { deadline, signal } }: Page): Promise<void> {
    // The search itself takes time, too.
    const timeoutMs = timeLeft(deadline - RESERVE_MS);
    const { tenant, kinds } = search.identity;
    return this.findable.wait({ tenant, kinds, id: search.waitForId, timeoutMs, signal });
  }

  private async searchEngine(page: Page): Promise<FoundDocuments> {
    const began = performance.now();
    const indexedThroughMs = await this.indexedThrough.read();
    const answer = fitAnswer(await this.engine.search(this.questionOf(page)), this.limits.answerBytes);
    refuseEmpty(answer);
    const position = answer.more ? answer.hits.at(-1)?.position : undefined;
    return {
      ...answer,
      nextPageToken: this.tokenFor(page, this.engine.name, position),
      queryTimeMs: Math.ceil(performance.now() - began),
      indexedThroughMs,
    };
  }

  private questionOf({ search, after, call: { deadline, signal } }: Page): SearchQuestion {
    const { identity, where, sort, limit, offset, facets } = search;
    const share = Math.ceil(timeLeft(deadline) * SHARE_OF_ENGINE);
    const timeoutMs = this.engine.isUp ? share : Math.min(share, WAIT_FOR_AWAY_MS);
    return {
      tenant: identity.tenant,
      kinds: identity.kinds,
      where,
      sort,
      limit,
      offset,
      facets,
      after: after?.position,
      signal,
      timeoutMs,
    };
  }

  private async searchMail(page: Page): Promise<FoundDocuments> {
    const began = performance.now();
    const { search, after, call } = page;
    const timeoutMs = timeLeft(call.deadline);
    const { kinds } = search.identity;
    const { authorization } = call;
    const { next, ...answer } = await this.degraded.search({ ...search, kinds, after: after?.position, authorization, timeoutMs });
    refuseEmpty(answer);
    return {
      ...answer,
      nextPageToken: this.tokenFor(page, MAIL, next),
      queryTimeMs: Math.ceil(performance.now() - began),
      indexedThroughMs: 0,
    };
  }

  private tokenFor({ search, askedAt }: Page, from: string, position: string | undefined): string {
    return position === undefined ? '' : this.tokens.seal(search.identity, { from, position, askedAt });
  }
}

/** The embedded engine's database has words of its own for being away. */
const isUnavailable = (error: unknown): boolean =>
  error instanceof EngineUnavailableError || (error instanceof RuleError && error.reason === 'DATABASE_UNAVAILABLE');

/** What was not found in a part of everything may be in the rest: that is no answer. */
function refuseEmpty({ degraded, total }: Answer): void {
  if (degraded !== undefined && total === 0) throw searchUnavailable();
}

/** Milliseconds, 1 at least. */
function timeLeft(deadline: number): number {
  const left = deadline - Date.now();
  return Math.max(1, Math.ceil(left - Math.min(RESERVE_MS, left / 4)));
}
