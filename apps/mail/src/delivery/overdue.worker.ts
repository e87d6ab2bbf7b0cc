import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { formatEmailId } from '../emails/email-id';
import { jobs, oldestDueSeconds, overdueEmails } from './delivery.metrics';
import { DoubtWalk } from './doubt-walk';
import type { Overdue } from './overdue';
import { type JobState, jobStates, OverdueStore } from './overdue.store';
import { Places } from './places';
import type { AgingState, StateAge } from './state-ages';

const INTERVAL_MS = 15_000;
const SAY_AGAIN_MS = 60_000;

/** Looks for what is overdue, as every process does: sets the gauges, and says it once a minute until it is over. */
@Injectable()
export class OverdueWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(OverdueWorker.name);
  private readonly doubts: DoubtWalk;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;
  /** When it was last said; undefined while nothing is overdue. */
  private saidAt: number | undefined;

  constructor(
    private readonly store: OverdueStore,
    private readonly places: Places,
    private readonly ages: Record<AgingState, StateAge>,
  ) {
    this.doubts = new DoubtWalk((after) => store.doubts(ages.uncertain.seconds, after));
  }

  onApplicationBootstrap(): void {
    const shortest = Math.min(...Object.values(this.ages).map(({ seconds }) => seconds));
    this.timer = setInterval(() => void this.look(), Math.min(INTERVAL_MS, shortest * 1000));
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    // A database that is slow is not asked twice at a time.
    if (this.looking) return;
    this.looking = true;
    try {
      const due = await this.store.due(this.ages);
      const found: [AgingState, Overdue | undefined][] = [
        ...due.overdue,
        ['hanging', this.places.heldLongerThan(this.ages.hanging.seconds)],
        ['uncertain', await this.doubts.step()],
      ];
      const counts = await this.store.jobs();
      const overdue = new Map(found.flatMap(([state, what]) => (what ? [[state, what]] : [])));
      this.show(overdue, due.oldestDueSeconds, counts);
      this.say(overdue);
    } catch (err) {
      this.showNothing();
      this.logger.warn({ err }, 'what is overdue could not be looked for; trying again');
    } finally {
      this.looking = false;
    }
  }

  private show(overdue: ReadonlyMap<AgingState, Overdue>, waited: number, counts: ReadonlyMap<JobState, number>): void {
    for (const state of Object.keys(this.ages) as AgingState[]) overdueEmails.set({ state }, overdue.get(state)?.count ?? 0);
    oldestDueSeconds.set(waited);
    for (const state of jobStates) jobs.set({ state }, counts.get(state) ?? 0);
  }

  /** What was true before must not be shown as if it were true now. */
  private showNothing(): void {
    overdueEmails.reset();
    jobs.reset();
    oldestDueSeconds.set(NaN);
  }

  private say(overdue: ReadonlyMap<AgingState, Overdue>): void {
    if (overdue.size === 0) {
      if (this.saidAt !== undefined) this.logger.log('nothing is overdue any more');
      this.saidAt = undefined;
      return;
    }
    const now = performance.now();
    if (this.saidAt !== undefined && now - this.saidAt < SAY_AGAIN_MS) return;
    this.saidAt = now;
    const states = Array.from(overdue, ([state, { count, oldestId, oldestSeconds }]) => {
      const told = { count, oldest: formatEmailId(oldestId), oldest_seconds: Math.round(oldestSeconds), why: this.ages[state].overdue };
      return [state, told] as const;
    });
    this.logger.error({ overdue: Object.fromEntries(states) }, 'mails are overdue');
  }
}
