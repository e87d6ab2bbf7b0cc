import { setTimeout as wait } from 'node:timers/promises';
import { bulkLine, type BulkLine, type BulkTarget, chunksOf, writeLines } from './bulk-write';
import type { CallOptions, ElasticsearchClient, RequestParts } from './elasticsearch.client';
import type { IndexKeeper, KeptIndex } from './index.keeper';
import { copyQuery } from './tenant-query';
import { closeToWrites, openToWrites } from './write-blocks';

/** How far a rebuild is, in documents (deletions and checkpoints included). */
export interface RebuildProgress {
  copied: number;
  total: number;
}

export interface Rebuilt {
  /** None where there was no index yet. */
  from?: string;
  to: string;
  copied: number;
  /** How long writes waited. */
  pausedMs: number;
}

export interface RebuildOptions {
  progress?: (progress: RebuildProgress) => void;
  /** The new index is in use. */
  moved?: () => void;
  /** How long the old index stays for those who page through it; forever where it is undefined. */
  keepOldMs?: number;
  signal?: AbortSignal;
}

interface CopiedHit {
  _id: string;
  _version: number;
  _source: object;
  sort: (string | number)[];
}

/** Each may have a MiB of content. */
const BATCH = 100;
/** Once a pass copied no more than that, the last one, for which writes wait, is a matter of milliseconds. */
const SMALL_PASS = 500;
const MAX_PASSES = 20;

/**
 * Rebuilds the documents into a new index, by the present template, and puts it in the place of the old one, while
 * searches and writes go on. In passes: each copies what was written since the one before began, by the number that
 * every shard gives to every write. When a pass was small, the old index takes no writes any more (Elasticsearch answers
 * that once all that were under way are done; new ones are refused, which the engine tries again for some seconds), the
 * rest is copied, and both aliases move at once. So at no moment does anyone see an index that lacks what was
 * acknowledged, or a checkpoint that says more than is there; swapping first and copying the rest afterwards would show
 * just that for a moment, and writing to both would need every instance to know of the rebuild.
 *
 * It may be killed at any moment: until the aliases move nothing has happened, a leftover is removed by the next one, and
 * a closed index is opened again (`write-blocks.ts`). Of two at once the later one goes on: the other one's alias is gone.
 */
export class Rebuild {
  private copied = 0;
  private total = 0;

  constructor(
    private readonly client: ElasticsearchClient,
    private readonly indices: IndexKeeper,
    private readonly options: RebuildOptions = {},
  ) {}

  async run(): Promise<Rebuilt> {
    const old = await this.present();
    if (!old) {
      await this.indices.prepare();
      return { to: (await this.present())?.name ?? '', copied: 0, pausedMs: 0 };
    }
    await this.indices.putTemplate();
    await this.removeLeftovers(old);
    const to = this.indices.nextName(await this.indices.indices());
    if (!(await this.indices.create(to, [this.indices.nextAlias]))) throw new Error(`${to} is there already: another rebuild runs`);
    let pausedMs: number;
    try {
      pausedMs = await this.replace(old.name, to);
    } catch (error) {
      if (!(await this.hasMoved(to))) {
        await this.giveUp(old.name, to);
        throw error;
      }
      // The answer to the move was lost, and not the move.
      pausedMs = 0;
    }
    this.options.moved?.();
    await this.removeLater(old.name);
    return { from: old.name, to, copied: this.copied, pausedMs };
  }

  private async present(): Promise<KeptIndex | undefined> {
    return (await this.indices.indices()).find(({ aliases }) => aliases.has(this.indices.writeAlias));
  }

  private async removeLeftovers(old: KeptIndex): Promise<void> {
    for (const { name, aliases } of await this.indices.indices()) {
      if (name !== old.name && !aliases.has(this.indices.readAlias)) await this.remove(name);
    }
    await openToWrites(this.client, old.name);
  }

  private async replace(from: string, to: string): Promise<number> {
    this.total = await this.count(from);
    let done: Map<number, number> = new Map();
    for (let pass = 1, small = false; !small; pass++) {
      const before = this.copied;
      done = await this.pass(from, done);
      small = this.copied - before <= SMALL_PASS || pass >= MAX_PASSES;
    }
    this.options.signal?.throwIfAborted();
    const closedAt = performance.now();
    await closeToWrites(this.client, from);
    await this.pass(from, done);
    await this.client.request({ method: 'POST', path: `/${to}/_refresh` });
    await this.compare(from, to);
    await this.move(from, to);
    return Math.round(performance.now() - closedAt);
  }

  /** Copies what was written since; gives up to where each shard is copied then. */
  private async pass(from: string, done: ReadonlyMap<number, number>): Promise<Map<number, number>> {
    // Read before what is read is fixed: what comes between is copied again.
    const reached = await this.writesOf(from);
    await this.client.request({ method: 'POST', path: `/${from}/_refresh` });
    for (const shard of reached.keys()) await this.copyShard(from, shard, done.get(shard) ?? -1);
    return reached;
  }

  /** Of each shard the number up to which every copy of it has every write. */
  private async writesOf(index: string): Promise<Map<number, number>> {
    type Copies = { routing: { primary: boolean }; seq_no: { global_checkpoint: number } }[];
    const { indices } = await this.client.request<{ indices: Record<string, { shards: Record<string, Copies> }> }>({
      method: 'GET',
      path: `/${index}/_stats`,
      querystring: { level: 'shards', filter_path: 'indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no.global_checkpoint' },
    });
    const shards = Object.entries(indices[index]?.shards ?? {});
    return new Map(
      shards.map(([shard, copies]) => [Number(shard), copies.find(({ routing }) => routing.primary)?.seq_no.global_checkpoint ?? -1]),
    );
  }

  private async copyShard(from: string, shard: number, afterWrite: number): Promise<void> {
    const { signal } = this.options;
    const opened = await this.client.request<{ id: string }>({
      method: 'POST',
      path: `/${from}/_pit`,
      querystring: { keep_alive: '5m', preference: `_shards:${shard}` },
    });
    try {
      let behind: object = {};
      for (;;) {
        signal?.throwIfAborted();
        const parts = {
          pit: { id: opened.id, keep_alive: '5m' },
          sort: [{ _shard_doc: 'asc' }],
          size: BATCH,
          version: true,
          track_total_hits: false,
          ...behind,
        };
        const { hits } = (await this.search(undefined, afterWrite, parts)).hits;
        const last = hits.at(-1);
        if (!last) return;
        await this.write(hits);
        behind = { search_after: last.sort };
      }
    } finally {
      await this.client.request({ method: 'DELETE', path: '/_pit', body: { id: opened.id } }).catch(() => undefined);
    }
  }

  private async write(hits: readonly CopiedHit[]): Promise<void> {
    const target: BulkTarget = {
      client: this.client,
      alias: this.indices.nextAlias,
      remake: () =>
        Promise.reject(new Error(`the alias ${this.indices.nextAlias} was taken away: another rebuild began, or this one took too long`)),
      blocks: { gone: () => undefined, seen: () => Promise.resolve() },
    };
    const lines = hits.map(({ _id, _version, _source }): BulkLine => bulkLine(_id, _version, _source, 'external_gte'));
    for (const chunk of chunksOf(lines)) {
      // 409: a later pass brought something newer already.
      const failed = (await writeLines(target, chunk)).find(({ status }) => status >= 400 && status !== 409);
      if (failed) throw new Error(`a document was not taken: ${failed.status} ${failed.error?.type}: ${failed.error?.reason}`);
    }
    this.copied += hits.length;
    this.options.progress?.({ copied: this.copied, total: Math.max(this.total, this.copied) });
  }

  /** Nothing may be missing; deletions that were forgotten meanwhile may be there still. */
  private async compare(from: string, to: string): Promise<void> {
    const [before, after] = [await this.count(from), await this.count(to)];
    if (after < before) throw new Error(`${to} has ${after} documents, and ${from} has ${before}`);
  }

  private async count(index: string): Promise<number> {
    return (await this.search(index, -1, { size: 0, track_total_hits: true })).hits.total?.value ?? 0;
  }

  private async search(
    index: string | undefined,
    afterWrite: number,
    parts: RequestParts,
  ): Promise<{ hits: { total?: { value: number }; hits: CopiedHit[] } }> {
    const options: CallOptions = this.options.signal ? { signal: this.options.signal } : {};
    const found = await this.client.search<{
      _shards: { failed: number };
      timed_out: boolean;
      hits: { total?: { value: number }; hits: CopiedHit[] };
    }>(index, copyQuery(afterWrite), parts, options);
    if (found._shards.failed > 0 || found.timed_out) throw new Error('not every shard answered');
    return found;
  }

  /** All at once, or nothing where the new index is not this rebuild's any more. */
  private async move(from: string, to: string): Promise<void> {
    const { readAlias, writeAlias, nextAlias } = this.indices;
    const actions = [
      { remove: { index: to, alias: nextAlias, must_exist: true } },
      { remove: { index: from, alias: readAlias, must_exist: true } },
      { remove: { index: from, alias: writeAlias, must_exist: true } },
      { add: { index: to, alias: readAlias } },
      { add: { index: to, alias: writeAlias, is_write_index: true } },
    ];
    await this.client.request({ method: 'POST', path: '/_aliases', body: { actions } }, { tries: 1 });
  }

  private async hasMoved(to: string): Promise<boolean> {
    return (await this.present())?.name === to;
  }

  private async giveUp(from: string, to: string): Promise<void> {
    // First the new one, so that it cannot take the place of one that takes writes again.
    await this.remove(to);
    await openToWrites(this.client, from);
  }

  private async removeLater(old: string): Promise<void> {
    const { keepOldMs, signal } = this.options;
    if (keepOldMs === undefined) return;
    if (keepOldMs > 0) await wait(keepOldMs, undefined, signal ? { signal } : {}).catch(() => undefined);
    if (signal?.aborted !== true) await this.remove(old);
  }

  private async remove(index: string): Promise<void> {
    await this.client.request({ method: 'DELETE', path: `/${index}`, querystring: { ignore_unavailable: true } });
  }
}
