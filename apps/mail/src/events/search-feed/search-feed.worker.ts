import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { SearchClient } from '@sky-genesis/grpc';
import type { DocumentBounds } from './email-document';
import { FeedSession } from './feed-session';
import { observeEnd } from './search-feed.metrics';
import { FEED_LEASE_MS, SearchFeedStore } from './search-feed.store';
import { SearchFeedStream } from './search-feed.stream';

const RENEW_MS = FEED_LEASE_MS / 3;
/** How often a worker without the lease asks for it. */
const LEASE_POLL_MS = 1000;
const ANSWER_MS = 30_000;
const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5000;
const STOP_MS = 2000;

/** Tells search of every mail and of what becomes of it. Of all mail processes one does, by lease; the others stand by. */
@Injectable()
export class SearchFeedWorker implements OnApplicationBootstrap, OnModuleDestroy {
  readonly id = randomUUID();
  private readonly logger = new Logger(SearchFeedWorker.name);
  private readonly stopping = new AbortController();
  private failures = 0;
  private loop: Promise<void> | undefined;

  constructor(
    private readonly store: SearchFeedStore,
    private readonly search: SearchClient,
    private readonly bounds: DocumentBounds,
  ) {}

  onApplicationBootstrap(): void {
    this.loop = this.run();
  }

  /** Ends the stream and gives the lease back, so that another process goes on at once. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const waitMs = await this.feed().catch((err: unknown) => this.failed(err));
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
    observeEnd();
    // A lease that cannot be given back runs out.
    await this.store.giveBack(this.id).catch(() => undefined);
  }

  /** @returns how long to wait before the next time */
  private async feed(): Promise<number> {
    const state = await this.store.lease(this.id);
    if (!state) {
      observeEnd();
      return LEASE_POLL_MS;
    }
    const { store, bounds, logger, id: worker } = this;
    const stream = new SearchFeedStream(this.search, ANSWER_MS);
    const over = new AbortController();
    const renewal = setInterval(() => void this.renew(over), RENEW_MS);
    // What is under way when the process is asked to stop may be answered yet; a search that hangs is not waited for.
    const close = () => setTimeout(() => void stream.close(), STOP_MS).unref();
    this.stopping.signal.addEventListener('abort', close, { once: true });
    try {
      const session = new FeedSession({ worker, store, stream, bounds, logger, onProgress: () => this.progressed() });
      await session.run(state, AbortSignal.any([over.signal, this.stopping.signal]));
      return 0;
    } finally {
      clearInterval(renewal);
      this.stopping.signal.removeEventListener('abort', close);
      await stream.close();
    }
  }

  private async renew(over: AbortController): Promise<void> {
    try {
      if (!(await this.store.lease(this.id))) over.abort();
    } catch {
      // The session meets the same, and tells it.
    }
  }

  private progressed(): void {
    if (this.failures > 0) this.logger.log('search is told of mails again');
    this.failures = 0;
  }

  private failed(err: unknown): number {
    if (this.stopping.signal.aborted) return 0;
    if (this.failures === 0) this.logger.warn({ err }, 'search cannot be told of mails for now; trying again');
    const most = Math.min(MIN_BACKOFF_MS * 2 ** this.failures, MAX_BACKOFF_MS);
    this.failures++;
    return most * (0.5 + Math.random() / 2);
  }
}
