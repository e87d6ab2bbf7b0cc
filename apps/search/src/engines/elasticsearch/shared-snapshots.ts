import { EngineUnavailableError } from '../search.engine';
import { type ElasticsearchClient, ElasticsearchRefusal } from './elasticsearch.client';

/** What a search is made in: the index as it was at one moment. */
export interface Snapshot {
  id: string;
  /** In which state of the index it was taken. */
  state: string;
  takenAt: number;
  usedAt: number;
  /** Someone has a position in it behind which there is more. */
  goesOn: boolean;
}

/** How long one can be gone on with after it was last used. */
export const SNAPSHOT_KEEP_ALIVE_MS = 300_000;
const KEEP_ALIVE = `${SNAPSHOT_KEEP_ALIVE_MS}ms`;
/** One that nobody was told to go on with. */
const BRIEFLY_MS = 15_000;
/** One is shared for no longer: a shard that moved counts its refreshes from the beginning. */
const SHARED_MS = 30_000;
/** Others wait for it. */
const TAKING = { timeoutMs: 5000, tries: 2 };
/** Each holds on to the files that the index had. */
const MAX_OPEN = 256;

/**
 * Snapshots (points in time) of the index. Searches share one for as long as the index shows the same documents: before
 * each, the shards are asked whether they were refreshed since it was taken. So a search sees all that was published
 * before it began, by whichever instance, and no more snapshots are open than there were different states.
 */
export class SharedSnapshots {
  private readonly open = new Map<string, Snapshot>();
  private current: Snapshot | undefined;
  private waiting: Promise<Snapshot> | undefined;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly client: ElasticsearchClient,
    private readonly alias: string,
  ) {}

  get size(): number {
    return this.open.size;
  }

  /**
   * One that shows what can be found now. Those who ask while another question is under way share the next one: the
   * answer to a question that was asked before theirs may be too old for them.
   */
  fresh(): Promise<Snapshot> {
    this.waiting ??= this.running.then(() => {
      this.waiting = undefined;
      const taken = this.take();
      this.running = taken.catch(() => undefined);
      return taken;
    });
    return this.waiting;
  }

  /** One whose shards answer now: not one that was there before. */
  anew(): Promise<Snapshot> {
    this.current = undefined;
    return this.fresh();
  }

  /** After a search in it; Elasticsearch counts its time from there. */
  used(snapshot: Snapshot, goesOn: boolean): void {
    snapshot.usedAt = performance.now();
    snapshot.goesOn ||= goesOn;
  }

  /** A page further in one that was told to a caller, by this instance or another. */
  continued(id: string): void {
    const snapshot = this.open.get(id);
    if (snapshot) this.used(snapshot, true);
  }

  /** It is not there any more, or its shards are not. */
  forget(snapshot: Snapshot): void {
    this.open.delete(snapshot.id);
    if (this.current === snapshot) this.current = undefined;
  }

  async close(): Promise<void> {
    this.current = undefined;
    // Not those that another instance may go on with: they end by themselves.
    await this.end([...this.open.values()].filter(({ goesOn }) => !goesOn));
    this.open.clear();
  }

  private async take(): Promise<Snapshot> {
    const state = await this.stateOfIndex();
    if (this.current?.state === state && performance.now() - this.current.takenAt < SHARED_MS) return this.current;
    const querystring = { keep_alive: KEEP_ALIVE, allow_partial_search_results: true };
    const { id, _shards } = await this.client.request<{ id: string; _shards: { successful: number } }>(
      { method: 'POST', path: `/${this.alias}/_pit`, querystring },
      TAKING,
    );
    if (_shards.successful === 0) throw new EngineUnavailableError();
    const now = performance.now();
    this.current = { id, state, takenAt: now, usedAt: now, goesOn: false };
    this.open.set(id, this.current);
    void this.end(this.superfluous());
    return this.current;
  }

  /** Which index it is, and how often its shards were refreshed. */
  private async stateOfIndex(): Promise<string> {
    const { _shards, indices } = await this.client.request<{
      _shards: { successful: number };
      indices: Record<string, { uuid: string; total: { refresh: { external_total: number } } }>;
    }>(
      {
        method: 'GET',
        path: `/${this.alias}/_stats/refresh`,
        querystring: { filter_path: '_shards.successful,indices.*.uuid,indices.*.total.refresh.external_total' },
      },
      TAKING,
    );
    if (_shards.successful === 0) throw new EngineUnavailableError();
    return JSON.stringify([
      _shards.successful,
      Object.values(indices ?? {}).map(({ uuid, total }) => [uuid, total.refresh.external_total]),
    ]);
  }

  /** Those that nobody goes on with, and of the others the ones that were not used for longest where there are too many. */
  private superfluous(): Snapshot[] {
    const now = performance.now();
    const others = [...this.open.values()].filter((snapshot) => snapshot !== this.current).sort((a, b) => a.usedAt - b.usedAt);
    const tooMany = Math.max(0, others.length - MAX_OPEN);
    return others.filter(({ goesOn, usedAt }, index) => index < tooMany || now - usedAt > (goesOn ? SNAPSHOT_KEEP_ALIVE_MS : BRIEFLY_MS));
  }

  private async end(snapshots: readonly Snapshot[]): Promise<void> {
    for (const snapshot of snapshots) this.open.delete(snapshot.id);
    await Promise.all(
      snapshots.map(({ id }) =>
        this.client.request({ method: 'DELETE', path: '/_pit', body: { id } }, { tries: 1 }).catch(() => {
          // It ends by itself.
        }),
      ),
    );
  }
}

/** As a part of a search. */
export const pitOf = (id: string): object => ({ id, keep_alive: KEEP_ALIVE });

/** What a search in a snapshot says that is gone. */
export const isSnapshotLost = (error: unknown): boolean => error instanceof ElasticsearchRefusal && error.status === 404;
