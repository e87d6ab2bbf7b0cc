import type { ElasticsearchClient } from './elasticsearch.client';
import type { IndexKeeper } from './index.keeper';

/** A rebuild closes the index to writes for the last moments before another takes its place: a second or so. */
const ABANDONED_AFTER_MS = 30_000;

/**
 * Opens an index to writes again that a rebuild closed, and did not come back for: it was killed in that moment. The
 * alias is taken from the new index first, without which it can never take the present one's place: so nothing that is
 * written from now on is lost by a rebuild that was only slow.
 */
export class WriteBlocks {
  private seenAt: number | undefined;

  constructor(
    private readonly client: ElasticsearchClient,
    private readonly indices: IndexKeeper,
    private readonly abandonedAfterMs = ABANDONED_AFTER_MS,
  ) {}

  /** Writes pass. */
  gone(): void {
    this.seenAt = undefined;
  }

  /** Writes are refused; by a rebuild or somebody else. */
  async seen(): Promise<void> {
    this.seenAt ??= performance.now();
    if (performance.now() - this.seenAt < this.abandonedAfterMs) return;
    this.seenAt = undefined;
    await this.lift();
  }

  private async lift(): Promise<void> {
    const indices = await this.indices.indices();
    const present = indices.find(({ aliases }) => aliases.has(this.indices.writeAlias));
    const next = indices.find(({ aliases }) => aliases.has(this.indices.nextAlias));
    // Without one it was not a rebuild that closed it.
    if (!present || !next) return;
    await this.client.request({
      method: 'POST',
      path: '/_aliases',
      body: { actions: [{ remove: { index: next.name, alias: this.indices.nextAlias, must_exist: true } }] },
    });
    await openToWrites(this.client, present.name);
  }
}

export const openToWrites = (client: ElasticsearchClient, index: string): Promise<unknown> =>
  client.request({ method: 'PUT', path: `/${index}/_settings`, body: { 'index.blocks.write': null } });

/** Resolves once every write that was under way is done. */
export const closeToWrites = (client: ElasticsearchClient, index: string): Promise<unknown> =>
  client.request({ method: 'PUT', path: `/${index}/_block/write` });
