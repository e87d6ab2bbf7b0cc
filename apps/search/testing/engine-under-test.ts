import { randomUUID } from 'node:crypto';
import type { Answer, ChangeOutcome, DocumentChange, IndexedDocument, SearchEngine, SearchQuestion } from '../src/engines/search.engine';
import { parseFilters } from '../src/query/parse-filters';
import { parseQuery } from '../src/query/parse-query';
import type { QueryNode } from '../src/query/query';

export interface StartedEngine {
  engine: SearchEngine;
  close(): Promise<void>;
  /** A second instance on the same documents, as another process would have it; closed by whoever asked for it. */
  another?: () => SearchEngine;
}

export type DocumentParts = Partial<Omit<IndexedDocument, 'tenant'>> & { id: string };

/** A question in the words of a person (`q`, `filters`) or as a tree (`where`). */
export type Asked = Partial<Omit<SearchQuestion, 'tenant' | 'where'>> & { q?: string; filters?: readonly string[]; where?: QueryNode };

export const NEVER = new AbortController().signal;

export const documentOf = (tenant: string, parts: DocumentParts): IndexedDocument => ({
  tenant,
  kind: 'document',
  title: '',
  content: '',
  url: `/documents/${parts.id}`,
  attributes: {},
  timestamp: 0,
  version: 1,
  ...parts,
});

export const indexed = (tenant: string, parts: DocumentParts): DocumentChange => ({ change: 'index', document: documentOf(tenant, parts) });

export const deleted = (tenant: string, id: string, version: number): DocumentChange => ({
  change: 'delete',
  tenant,
  id,
  kind: 'document',
  version,
});

export const questionOf = (tenant: string, { q = '', filters = [], where, ...over }: Asked): SearchQuestion => ({
  tenant,
  kinds: ['email', 'document'],
  where: where ?? { kind: 'all', of: [parseQuery(q), parseFilters(filters)] },
  sort: 'relevance',
  limit: 100,
  offset: 0,
  facets: [],
  signal: NEVER,
  timeoutMs: 10_000,
  ...over,
});

export const idsOf = ({ hits }: Answer): string[] => hits.map(({ id }) => id);

/** The engine that the suite runs on, and what every theme asks of it. */
export class EngineUnderTest {
  private started: StartedEngine | undefined;

  async begin(start: () => Promise<StartedEngine>): Promise<void> {
    this.started = await start();
    await this.engine.prepare();
  }

  async end(): Promise<void> {
    await this.started?.close();
  }

  get engine(): SearchEngine {
    if (!this.started) throw new Error('the engine was not started');
    return this.started.engine;
  }

  /** A second instance, or the only one where there is no second. */
  async withAnother<T>(use: (engine: SearchEngine) => Promise<T>): Promise<T> {
    const another = this.started?.another?.();
    if (!another) return use(this.engine);
    try {
      await another.prepare();
      return await use(another);
    } finally {
      await another.close();
    }
  }

  /** Of its own for each theme, so that none sees what another wrote. */
  readonly newTenant = (): string => `tenant-${randomUUID()}`;

  /** Writes them and waits until they can be found. */
  async add(tenant: string, documents: readonly DocumentParts[]): Promise<void> {
    const outcomes = await this.write(documents.map((parts) => indexed(tenant, parts)));
    expect(new Set(outcomes)).toEqual(new Set(['created']));
  }

  async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    const outcomes = await this.engine.write(changes);
    await this.engine.publish();
    return outcomes;
  }

  search(tenant: string, asked: Asked | string = {}): Promise<Answer> {
    return this.engine.search(questionOf(tenant, typeof asked === 'string' ? { q: asked } : asked));
  }

  /** In their order. */
  async ids(tenant: string, asked: Asked | string = {}): Promise<string[]> {
    return idsOf(await this.search(tenant, asked));
  }

  /** In no order: for what is compared as a set. */
  async found(tenant: string, asked: Asked | string = {}): Promise<string[]> {
    return (await this.ids(tenant, asked)).sort();
  }
}
