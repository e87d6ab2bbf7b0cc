import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Answer,
  type ChangeOutcome,
  type DocumentChange,
  EngineUnavailableError,
  type Kind,
  PositionLostError,
  SearchEngine,
  type SearchQuestion,
  type SourceCheckpoint,
} from '../search.engine';
import { type BulkTarget, bulkLine, writeChanges, writeLines } from './bulk-write';
import { checkpointKey, sourceOfCheckpoint, storedVersion } from './document.mapper';
import { ElasticsearchClient, ElasticsearchRefusal, isWithoutShards } from './elasticsearch.client';
import type { ElasticsearchSettings } from './elasticsearch.settings';
import { answerOf, facetParts, type Found, highlightParts, sortOf, sourceFields } from './hits.mapper';
import { IndexKeeper, type Within } from './index.keeper';
import { readPosition } from './positions';
import { clauseOf, isRanked } from './query.mapper';
import { isSnapshotLost, pitOf, SharedSnapshots } from './shared-snapshots';
import { checkpointQuery, forgottenQuery, tenantQuery } from './tenant-query';
import { WriteBlocks } from './write-blocks';

const EXACT_TOTAL = 10_000;
const MAX_SOURCES = 1000;
const MAX_FORGOTTEN = 50_000;
const DAY_MS = 86_400_000;
/** What a search leaves Elasticsearch of its time: the rest is for the way back. */
const SHARE_OF_TIME = 0.9;

/** Documents in Elasticsearch: see docs/search.md for what is stored there. */
export class ElasticsearchEngine extends SearchEngine {
  readonly name = 'elasticsearch';
  private readonly client: ElasticsearchClient;
  private readonly indices: IndexKeeper;
  private readonly snapshots: SharedSnapshots;
  private readonly target: BulkTarget;

  constructor(settings: ElasticsearchSettings) {
    super();
    this.client = new ElasticsearchClient(settings);
    this.indices = new IndexKeeper(this.client, settings);
    this.snapshots = new SharedSnapshots(this.client, this.indices.readAlias);
    const blocks = new WriteBlocks(this.client, this.indices);
    this.target = {
      client: this.client,
      alias: this.indices.writeAlias,
      remake: async () => {
        this.indices.lost();
        await this.indices.prepared();
      },
      blocks,
    };
  }

  prepare(): Promise<void> {
    return this.indices.prepare();
  }

  async ping(): Promise<void> {
    await this.client.request({ method: 'HEAD', path: '/' }, { timeoutMs: 2000, tries: 1 });
  }

  async search(question: SearchQuestion): Promise<Answer> {
    const { after, signal, timeoutMs } = question;
    if (after !== undefined) return this.goOn(question, after);
    const deadline = performance.now() + timeoutMs;
    const within: Within = (shared) => waitFor(shared, signal, deadline);
    return this.indices.withIndex(async () => {
      for (let attempt = 1; ; attempt++) {
        const snapshot = await within(this.snapshots.fresh());
        try {
          const answer = await this.searchIn(snapshot.id, question, [], deadline);
          this.snapshots.used(snapshot, answer.more);
          if (answer.degraded === undefined || attempt > 1) return answer;
        } catch (error) {
          if (attempt > 1 || !isSnapshotLost(error)) throw error;
        }
        // A snapshot holds on to the copies of the shards that it was taken from: others may be there.
        this.snapshots.forget(snapshot);
      }
    }, within);
  }

  async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    if (changes.length === 0) return [];
    return this.indices.withIndex(() => writeChanges(this.target, changes, Date.now()));
  }

  async publish(): Promise<void> {
    await this.indices.withIndex(async () => {
      const { _shards } = await this.client.request<{ _shards: { failed: number } }>({
        method: 'POST',
        path: `/${this.indices.writeAlias}/_refresh`,
      });
      if (_shards.failed > 0) throw new EngineUnavailableError();
    });
  }

  async findable(tenant: string, kinds: readonly Kind[], ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const asked = new Set(ids);
    const query = tenantQuery({ tenant, kinds }, { bool: { filter: [{ terms: { id: [...asked] } }] } });
    const parts = { size: asked.size, _source: ['id'], track_total_hits: false };
    const { hits } = await this.indices.withIndex(() => this.client.search<Found>(this.indices.readAlias, query, parts, {}));
    return new Set(hits.hits.map(({ _source }) => _source.id));
  }

  async saveCheckpoint(checkpoint: SourceCheckpoint): Promise<void> {
    const { source, throughMs } = checkpoint;
    const line = bulkLine(checkpointKey(source), storedVersion(throughMs), sourceOfCheckpoint(checkpoint), 'external_gte');
    const [result] = await this.indices.withIndex(() => writeLines(this.target, [line]));
    if (result?.error && result.status !== 409) throw new EngineUnavailableError({ cause: result.error.type });
    await this.publish();
  }

  async checkpoints(): Promise<SourceCheckpoint[]> {
    const parts = {
      size: MAX_SOURCES,
      sort: [{ source: 'asc' }],
      _source: ['source', 'checkpoint', 'through_ms'],
      track_total_hits: false,
    };
    const { hits, _shards } = await this.indices.withIndex(() =>
      this.client.search<{
        _shards: { failed: number };
        hits: { hits: { _source: { source: string; checkpoint: string; through_ms: number } }[] };
      }>(this.indices.readAlias, checkpointQuery(), parts, {}),
    );
    // The least over the sources would be wrong without those that did not answer.
    if (_shards.failed > 0) throw new EngineUnavailableError();
    return hits.hits.map(({ _source: { source, checkpoint, through_ms } }) => ({ source, checkpoint, throughMs: through_ms }));
  }

  async forgetDeletions(days: number): Promise<number> {
    const before = Date.now() - days * DAY_MS;
    const querystring = { conflicts: 'proceed', max_docs: MAX_FORGOTTEN };
    const { deleted } = await this.indices.withIndex(() =>
      this.client.deleteByQuery<{ deleted: number }>(this.indices.writeAlias, forgottenQuery(before), querystring, { tries: 1 }),
    );
    return deleted;
  }

  async close(): Promise<void> {
    await this.snapshots.close();
    await this.client.close();
  }

  private async goOn(question: SearchQuestion, after: string): Promise<Answer> {
    const { snapshot, behind } = readPosition(after);
    const deadline = performance.now() + question.timeoutMs;
    try {
      const answer = await this.searchIn(snapshot, question, behind, deadline);
      this.snapshots.continued(snapshot);
      return answer;
    } catch (error) {
      // A snapshot that is gone, or a position that Elasticsearch cannot read: the question alone is never refused.
      if (error instanceof ElasticsearchRefusal) throw new PositionLostError({ cause: error });
      if (!isWithoutShards(error)) throw error;
      // The copies of the shards that the snapshot was taken from are gone for good where others answer.
      await this.indices.withIndex(() => waitFor(this.snapshots.anew(), question.signal, deadline));
      throw new PositionLostError({ cause: error });
    }
  }

  private async searchIn(snapshot: string, question: SearchQuestion, behind: readonly unknown[], deadline: number): Promise<Answer> {
    const { where, sort, limit, offset, facets, signal } = question;
    const leftMs = Math.max(1, Math.floor(deadline - performance.now()));
    const ranked = isRanked(where);
    const parts = {
      pit: pitOf(snapshot),
      sort: sortOf(sort, ranked),
      // One more than is shown, to know whether there are more.
      size: limit + 1,
      ...(behind.length > 0 ? { search_after: behind } : { from: offset }),
      track_total_hits: EXACT_TOTAL,
      track_scores: ranked,
      timeout: `${Math.max(1, Math.floor(leftMs * SHARE_OF_TIME))}ms`,
      _source: sourceFields,
      ...(facets.length > 0 && { aggs: facetParts(facets) }),
      ...(ranked && { highlight: highlightParts }),
    };
    const found = await this.client.search<Found>(undefined, tenantQuery(question, clauseOf(where)), parts, { signal, timeoutMs: leftMs });
    const answer = answerOf(found, question, ranked, snapshot);
    // Nothing found by a part of the shards is no answer.
    if (answer.degraded !== undefined && answer.hits.length === 0) throw new EngineUnavailableError();
    return answer;
  }
}

/** What others share goes on; who has no more time, or does not wait for it any more, is let go. */
async function waitFor<T>(shared: Promise<T>, signal: AbortSignal, deadline: number): Promise<T> {
  signal.throwIfAborted();
  const letGo = new AbortController();
  const ended = once(signal, 'abort', { signal: letGo.signal }).then(() => Promise.reject(signal.reason as Error));
  const late = wait(Math.max(0, deadline - performance.now()), undefined, { signal: letGo.signal }).then(() =>
    Promise.reject(new EngineUnavailableError()),
  );
  try {
    return await Promise.race([shared, ended, late]);
  } finally {
    for (const each of [ended, late]) each.catch(() => undefined);
    letGo.abort();
  }
}
