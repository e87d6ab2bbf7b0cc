import {
  type Answer,
  type ChangeOutcome,
  type DocumentChange,
  EngineUnavailableError,
  type Hit,
  type IndexedDocument,
  type Kind,
  PositionLostError,
  SearchEngine,
  type SearchQuestion,
  type SourceCheckpoint,
} from '../engines/search.engine';
import type { QueryNode } from '../query/query';

interface Stored {
  document: IndexedDocument;
  deleted: boolean;
  findable: boolean;
}

/**
 * A fake engine, in memory: versions, tenants, kinds, paging and checkpoints are as the port has them; words are parts of
 * the title and the content, and nothing is ranked. What is written is found after `publish`.
 */
export class FakeEngine extends SearchEngine {
  readonly name = 'postgres';
  /** From now on every call fails as one that cannot reach its server. */
  away = false;
  /** What the next writes do before they are carried out. */
  beforeWrite: () => Promise<void> | void = () => undefined;
  /** What the next searches do before they are carried out. */
  beforeSearch: (question: SearchQuestion) => Promise<void> | void = () => undefined;
  /** Errors for the documents with these ids. */
  readonly refused = new Map<string, Error>();
  readonly searches: SearchQuestion[] = [];
  readonly findableAsked: { tenant: string; kinds: readonly Kind[]; ids: readonly string[] }[] = [];
  readonly batches: number[] = [];
  /** In the order in which they were carried out. */
  readonly log: string[] = [];
  prepared = 0;
  /** Whether what is written can be found at once. */
  instant = true;
  degraded: string | undefined;
  private readonly stored = new Map<string, Stored>();
  private readonly kept = new Map<string, SourceCheckpoint>();

  async prepare(): Promise<void> {
    this.reach();
    this.prepared++;
  }

  async ping(): Promise<void> {
    this.reach();
  }

  async search(question: SearchQuestion): Promise<Answer> {
    this.searches.push(question);
    await this.beforeSearch(question);
    this.reach();
    const all = [...this.stored.values()]
      .filter(({ document, deleted, findable }) => findable && !deleted && isSeen(document, question))
      .map(({ document }) => document)
      .filter((document) => holds(question.where, document))
      .sort((a, b) => (question.sort === 'oldest' ? 1 : -1) * (a.timestamp - b.timestamp) || (a.id < b.id ? -1 : 1));
    const from = question.after === undefined ? question.offset : 1 + all.findIndex(({ id }) => id === question.after);
    if (question.after !== undefined && from === 0) throw new PositionLostError();
    return {
      hits: all.slice(from, from + question.limit).map(toHit),
      more: all.length > from + question.limit,
      total: all.length,
      totalIsLowerBound: false,
      facets: question.facets.map((field) => ({ field, values: countsOf(all, field) })),
      ...(this.degraded !== undefined && { degraded: this.degraded }),
    };
  }

  async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    await this.beforeWrite();
    // As every engine does, it takes longer than what else is at hand.
    await new Promise(setImmediate);
    this.reach();
    this.batches.push(changes.length);
    return changes.map((change) => this.carryOut(change));
  }

  async publish(): Promise<void> {
    this.reach();
    for (const stored of this.stored.values()) stored.findable = true;
    this.log.push('publish');
  }

  async findable(tenant: string, kinds: readonly Kind[], ids: readonly string[]): Promise<ReadonlySet<string>> {
    this.findableAsked.push({ tenant, kinds, ids });
    this.reach();
    return new Set(
      ids.filter((id) => {
        const stored = this.stored.get(keyOf(tenant, id));
        return stored !== undefined && stored.findable && !stored.deleted && kinds.includes(stored.document.kind);
      }),
    );
  }

  async saveCheckpoint(checkpoint: SourceCheckpoint): Promise<void> {
    this.reach();
    if ((this.kept.get(checkpoint.source)?.throughMs ?? -1) <= checkpoint.throughMs) this.kept.set(checkpoint.source, checkpoint);
    this.log.push(`checkpoint ${checkpoint.checkpoint}`);
  }

  async checkpoints(): Promise<SourceCheckpoint[]> {
    this.reach();
    return [...this.kept.values()];
  }

  async forgetDeletions(): Promise<number> {
    this.reach();
    return 0;
  }

  async close(): Promise<void> {
    this.log.push('close');
  }

  document(tenant: string, id: string): IndexedDocument | undefined {
    const stored = this.stored.get(keyOf(tenant, id));
    return stored && !stored.deleted ? stored.document : undefined;
  }

  private reach(): void {
    if (this.away) throw new EngineUnavailableError();
  }

  private carryOut(change: DocumentChange): ChangeOutcome | Error {
    const { tenant, id, kind, version } = change.change === 'index' ? change.document : change;
    const refusal = this.refused.get(id);
    if (refusal) return refusal;
    const known = this.stored.get(keyOf(tenant, id));
    if (known && known.document.version >= version) return 'unchanged';
    const document = change.change === 'index' ? change.document : { ...EMPTY, tenant, id, kind, version };
    const deleted = change.change === 'delete';
    this.stored.set(keyOf(tenant, id), { document, deleted, findable: this.instant });
    this.log.push(`${change.change} ${id}`);
    if (deleted) return known && !known.deleted ? 'deleted' : 'unchanged';
    return known && !known.deleted ? 'updated' : 'created';
  }
}

const EMPTY = { title: '', content: '', url: '', attributes: {}, timestamp: 0 };

const keyOf = (tenant: string, id: string) => JSON.stringify([tenant, id]);

const isSeen = (document: IndexedDocument, { tenant, kinds }: SearchQuestion) =>
  document.tenant === tenant && kinds.includes(document.kind);

const toHit = ({ id, kind, title, content, url, attributes, timestamp }: IndexedDocument): Hit => ({
  id,
  kind,
  title,
  content: content.slice(0, 300),
  url,
  score: 1,
  highlights: [],
  attributes: Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, [...values]])),
  timestamp,
  position: id,
});

function countsOf(documents: readonly IndexedDocument[], field: string): { value: string; count: number }[] {
  const groups = Map.groupBy(
    documents.flatMap(({ attributes }) => attributes[field] ?? []),
    (value) => value,
  );
  return [...groups].map(([value, of]) => ({ value, count: of.length })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}

function holds(node: QueryNode, document: IndexedDocument): boolean {
  switch (node.kind) {
    case 'all':
      return node.of.every((part) => holds(part, document));
    case 'any':
      return node.of.some((part) => holds(part, document));
    case 'not':
      return !holds(node.of, document);
    case 'text':
      return textsOf(document, node.field).some((text) => text.toLowerCase().includes(node.text.toLowerCase()));
    case 'equals':
      return valuesOf(document, node.field).some((value) => node.values.includes(value));
    case 'range':
      throw new Error('the fake engine compares nothing');
  }
}

const textsOf = ({ title, content, attributes }: IndexedDocument, field: string | undefined): readonly string[] =>
  field === undefined ? [title, content] : field === 'title' ? [title] : field === 'content' ? [content] : (attributes[field] ?? []);

const valuesOf = ({ id, kind, url, attributes }: IndexedDocument, field: string): readonly string[] =>
  field === 'id' ? [id] : field === 'kind' ? [kind] : field === 'url' ? [url] : (attributes[field] ?? []);
