import type { QueryNode } from '../query/query';

/** email: what the feed of mail indexed. document: what a caller indexed. */
export type Kind = 'email' | 'document';

/** A document as an engine keeps it, checked before: see `documents/check-document.ts` for its bounds. */
export interface IndexedDocument {
  tenant: string;
  id: string;
  kind: Kind;
  title: string;
  content: string;
  url: string;
  attributes: Readonly<Record<string, readonly string[]>>;
  /** Unix seconds; 0: none. */
  timestamp: number;
  version: number;
}

/** A change of one document. A deletion is remembered by its version for 7 days. */
export type DocumentChange =
  { change: 'index'; document: IndexedDocument } | { change: 'delete'; tenant: string; id: string; kind: Kind; version: number };

/**
 * What became of a change. `unchanged`: what is there, or was deleted, has the same or a higher version; for a deletion
 * also that there was nothing: its version is remembered all the same.
 */
export type ChangeOutcome = 'created' | 'updated' | 'deleted' | 'unchanged';

/** Up to where the documents of a source can be found. */
export interface SourceCheckpoint {
  source: string;
  checkpoint: string;
  /** Everything that the source accepted up to then can be found; unix milliseconds. */
  throughMs: number;
}

export type Sort = 'relevance' | 'newest' | 'oldest';

export interface SearchQuestion {
  tenant: string;
  /** Only these are searched, counted and found: what the caller may see. Never empty. */
  kinds: readonly Kind[];
  where: QueryNode;
  sort: Sort;
  /** 1 to 100 */
  limit: number;
  /** 0 to 10,000; 0 where `after` is given. */
  offset: number;
  /** Fields to count the values of: attributes or `kind`; 10 at most. */
  facets: readonly string[];
  /** A `Hit.position` of an answer to the same question (limit, offset and facets may differ): the search goes on behind it. */
  after?: string | undefined;
  /** Ends the work in the engine, too. */
  signal: AbortSignal;
  /** What is left of the time that the caller has. */
  timeoutMs: number;
}

export interface Hit {
  id: string;
  kind: Kind;
  title: string;
  /** The first 300 characters (code points). */
  content: string;
  url: string;
  /** 0..1, higher is better; 1 where nothing was asked that could be ranked. */
  score: number;
  /** 5 fragments of about 150 characters at most, from title, `textAttributes` and content: `<mark>` around what matched, all else escaped for HTML. */
  highlights: string[];
  attributes: Record<string, string[]>;
  timestamp: number;
  /** To go on behind this hit: see `SearchQuestion.after`. Engine's own; told to callers only encrypted. 2000 characters at most. */
  position: string;
}

export interface Answer {
  hits: Hit[];
  /** Whether there are hits behind the last one. */
  more: boolean;
  /** Exact up to 10,000. */
  total: number;
  totalIsLowerBound: boolean;
  /** In the order asked for; 20 values each at most, the most frequent first, equally frequent ones by value. */
  facets: { field: string; values: { value: string; count: number }[] }[];
  /** Set where the answer may be incomplete: why, in words for the caller. */
  degraded?: string;
}

/** The engine cannot be reached, or has no room for now: nothing is wrong with what was asked. */
export class EngineUnavailableError extends Error {
  constructor(options?: ErrorOptions) {
    super('the search engine cannot be reached', options);
    this.name = new.target.name;
  }
}

/** A position (`after`) that is too old to go on from, or not this engine's. */
export class PositionLostError extends Error {
  constructor(options?: ErrorOptions) {
    super('the search cannot be gone on with', options);
    this.name = new.target.name;
  }
}

/**
 * Where documents are kept and found. Two complete adapters, one conformance suite (testing/engine.conformance.ts). Every
 * method throws EngineUnavailableError where the engine is away, and reads and writes only what belongs to the tenant.
 */
export abstract class SearchEngine {
  /** In words of logs and metrics. */
  abstract readonly name: 'elasticsearch' | 'postgres';

  /** Prepares what is missing (index, template); called once before anything else, again until it does not throw. */
  abstract prepare(): Promise<void>;

  /** @throws EngineUnavailableError */
  abstract ping(): Promise<void>;

  /**
   * Best first: by relevance (title counts more than attributes, these more than content; newer before older where
   * equally relevant), or by timestamp; then by id. Paging by `position` shows nothing twice, and misses nothing that
   * was there and stayed unchanged from the first page on, whatever is written meanwhile.
   * @throws PositionLostError
   */
  abstract search(question: SearchQuestion): Promise<Answer>;

  /**
   * Durable when it resolves; findable at the latest after `publish`, or a second. An outcome or an error for each, in
   * order; two changes of one document in one call are carried out in that order.
   */
  abstract write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]>;

  /** Resolves once all that was written before can be found, through every instance. */
  abstract publish(): Promise<void>;

  /** Which of these ids of the tenant, of these kinds, can be found by a search that begins now. */
  abstract findable(tenant: string, kinds: readonly Kind[], ids: readonly string[]): Promise<ReadonlySet<string>>;

  /** Keeps it unless a later one is kept already (compared by throughMs); lives and is lost together with the documents. */
  abstract saveCheckpoint(checkpoint: SourceCheckpoint): Promise<void>;

  /** Of all sources. */
  abstract checkpoints(): Promise<SourceCheckpoint[]>;

  /** Forgets deletions older than so many days; gives how many. */
  abstract forgetDeletions(days: number): Promise<number>;

  abstract close(): Promise<void>;
}
