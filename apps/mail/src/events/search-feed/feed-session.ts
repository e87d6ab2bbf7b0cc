import { setTimeout as sleep } from 'node:timers/promises';
import { type Logger } from '@nestjs/common';
import { formatEmailId } from '../../emails/email-id';
import { formatCheckpoint, isIndexLost } from './checkpoint';
import type { DocumentBounds } from './email-document';
import { FeedBacklog, type TenantPlace } from './feed-backlog';
import { takeTurn, TENANTS_A_TURN, type Turn } from './feed-turn';
import { documentsTotal, emailsSetAside, eventsBehind, observeThrough, tenantsWalking } from './search-feed.metrics';
import type { FeedState, SearchFeedStore } from './search-feed.store';
import type { SearchFeedStream } from './search-feed.stream';

const POLL_MS = 100;
/** The question for tenants may take this part of the time at most. */
const POLL_PART = 10;
/** A claim goes alone after so long. */
const CLAIM_MS = 1000;
/** Turns between two questions for tenants. */
const TURNS_MS = 500;

export interface SessionParts {
  worker: string;
  store: SearchFeedStore;
  stream: Pick<SearchFeedStream, 'ask' | 'claim' | 'send'>;
  bounds: DocumentBounds;
  logger: Pick<Logger, 'log' | 'warn'>;
  /** Called when search has taken something. */
  onProgress: () => void;
}

/** Feeds search through one stream, until something comes between: then a new session goes on from what is stored. */
export class FeedSession {
  private readonly backlog = new FeedBacklog();
  private checkpoint = '';
  private rebuilds = 0;
  private setAside = 0;
  private claimedAt = 0;
  private fedSinceClaim = true;

  constructor(private readonly parts: SessionParts) {}

  /**
   * Resolves when the lease is lost, everything is to be read again, or the signal ends.
   * @throws RuleError, OutcomeUnknownError when search or the database is away
   */
  async run(state: FeedState, signal: AbortSignal): Promise<void> {
    if (!(await this.begin(state))) return;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const askMs = await this.round(signal);
      if (askMs === undefined) return;
      if (!this.backlog.isEmpty) continue;
      const wait = Math.max(POLL_MS - (performance.now() - startedAt), askMs * POLL_PART);
      await sleep(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Compares what is kept on both sides. An index that is not what was fed is fed anew, as a whole. */
  private async begin({ rebuilds, checkpoint, throughMs }: FeedState): Promise<boolean> {
    const { stream, store, worker, logger } = this.parts;
    let kept = await stream.ask();
    this.rebuilds = rebuilds;
    if (isIndexLost(kept, checkpoint, rebuilds)) {
      this.rebuilds = await store.rebuild();
      logger.warn(
        { kept, claimed: checkpoint, rebuild: this.rebuilds },
        'the index of search is not what was fed: all mails are read again',
      );
    }
    if (kept === '') {
      // From now on an index that is emptied is told from one that never had anything.
      kept = formatCheckpoint({ rebuilds: this.rebuilds, throughMs: 0 });
      await stream.claim(kept, 0);
      throughMs = 0;
    }
    this.checkpoint = kept;
    if (kept !== checkpoint && !(await store.keep(worker, kept, throughMs))) return false;
    observeThrough(throughMs);
    await this.countSetAside();
    this.parts.onProgress();
    return true;
  }

  /** @returns how long the longest question for tenants took; undefined: the session is over */
  private async round(signal: AbortSignal): Promise<number | undefined> {
    const { store, worker } = this.parts;
    const { nowMs, rebuilds, held } = await store.clock(worker);
    if (!held || rebuilds !== this.rebuilds) return undefined;
    this.backlog.clock(nowMs);
    let askMs = 0;
    for (let more = true; more && !signal.aborted;) {
      const askedAt = performance.now();
      more = !this.backlog.isFull && this.backlog.found(await store.behind(this.backlog.place));
      askMs = Math.max(askMs, performance.now() - askedAt);
      eventsBehind.set(this.backlog.eventsBehind);
      tenantsWalking.set(this.backlog.walking);
      if (!(await this.takeTurns(signal))) return undefined;
    }
    return (await this.claim()) ? askMs : undefined;
  }

  private async takeTurns(signal: AbortSignal): Promise<boolean> {
    const until = performance.now() + TURNS_MS;
    while (!this.backlog.isEmpty && !signal.aborted && performance.now() < until) {
      const turn = await takeTurn(this.backlog.next(TENANTS_A_TURN), { ...this.parts, rebuilds: this.rebuilds });
      if (!(await this.record(turn))) return false;
    }
    return true;
  }

  /** Moves on behind what search has answered. */
  private async record(turn: Turn): Promise<boolean> {
    const { store, worker, logger, onProgress } = this.parts;
    // Which mails are healed matters only where some are set aside.
    const fed = this.setAside > 0 ? turn.fed : [];
    if (!(await store.move(worker, this.rebuilds, { ...turn, fed }))) return false;
    for (const { change, error } of turn.setAside) {
      logger.warn({ id: formatEmailId(change.id), error }, 'search does not take a mail: it is set aside');
    }
    for (const [outcome, count] of turn.outcomes) documentsTotal.inc({ outcome }, count);
    if (this.setAside > 0 || turn.setAside.length > 0) await this.countSetAside();
    for (const place of turn.places) this.backlog.moved(place);
    this.fedSinceClaim = true;
    onProgress();
    return turn.gaps.length === 0 || this.fromTheStart(turn.gaps);
  }

  /** The session ends with it: the next one finds these tenants as they are to be read. */
  private async fromTheStart(tenants: readonly TenantPlace['tenant'][]): Promise<boolean> {
    const { store, worker, logger } = this.parts;
    await store.fromTheStart(worker, this.rebuilds, tenants);
    logger.warn({ tenants: tenants.length }, 'events that search was not told of are no longer kept: these tenants are read as a whole');
    return false;
  }

  /** Says up to when everything is fed, where that is so. */
  private async claim(): Promise<boolean> {
    const throughMs = this.backlog.takeClaim();
    const now = performance.now();
    if (throughMs === undefined || (!this.fedSinceClaim && now - this.claimedAt < CLAIM_MS)) return true;
    const { store, worker, stream, onProgress } = this.parts;
    // An index can be emptied while search runs. A claim that is kept in it would hide that, and would not be true.
    if (isIndexLost(await stream.ask(), this.checkpoint, this.rebuilds)) return false;
    const checkpoint = formatCheckpoint({ rebuilds: this.rebuilds, throughMs });
    await stream.claim(checkpoint, throughMs);
    this.checkpoint = checkpoint;
    this.claimedAt = now;
    this.fedSinceClaim = false;
    observeThrough(throughMs);
    onProgress();
    return store.keep(worker, checkpoint, throughMs);
  }

  private async countSetAside(): Promise<void> {
    this.setAside = await this.parts.store.setAsideCount();
    emailsSetAside.set(this.setAside);
  }
}
