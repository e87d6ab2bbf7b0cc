import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { GroupCommit } from '@sky-genesis/database/group-commit';
import { formatEmailId } from '../emails/email-id';
import type { Outcome, OutcomePolicy } from './decide-outcome';
import { deliverEmail } from './deliver-email';
import { leasesTakenOverTotal, observeRecorded } from './delivery.metrics';
import { type DataSentMark, DeliveryStore, LEASE_MS } from './delivery.store';
import { DueSignal } from './due.signal';
import { HandoverService } from './handover.service';
import type { OutgoingEmail } from './outgoing-email';
import { Places } from './places';

const POLL_MS = 1000;
const RENEW_MS = LEASE_MS / 3;
/** Between two claims, so that each finds more than one mail where there are many. */
const CLAIM_GAP_MS = 5;
/** Bounded by the mails under way. */
const BATCHES = { maxItems: 64, maxBytes: Infinity, maxInFlight: 1, maxWaitingItems: Infinity, maxWaitingBytes: Infinity, sizeOf: () => 0 };

export interface WorkerSettings {
  /** Mails under way at once; 0: this process delivers nothing. */
  concurrency: number;
  graceMs: number;
  policy: OutcomePolicy;
}

/** Claims due mails by lease, hands them over, records what became of them. */
@Injectable()
export class DeliveryWorker {
  private readonly logger = new Logger(DeliveryWorker.name);
  private readonly id = randomUUID();
  private readonly underWay = new Set<Promise<void>>();
  private readonly marks: GroupCommit<DataSentMark, boolean>;
  /** Each tenant's own: an outcome waits for no other tenant's counter row, which a flood of mails holds most of the time. */
  private readonly outcomes = new Map<string, GroupCommit<Outcome, boolean>>();
  /** The grace of a stop is over. */
  private readonly givingUp = new AbortController();
  private walkedTo: string | undefined;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: DeliveryStore,
    private readonly handovers: HandoverService,
    private readonly due: DueSignal,
    private readonly places: Places,
    private readonly settings: WorkerSettings,
  ) {
    this.marks = new GroupCommit((marks) => store.mark(this.id, marks), BATCHES);
  }

  start(): void {
    if (this.settings.concurrency === 0) return;
    this.renewal = setInterval(() => void this.renew(), RENEW_MS);
    this.loop = this.run();
  }

  /** Claims no more; what is under way may end within the grace. What does not is taken over by another worker. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.due.raise();
    await this.loop;
    const grace = new AbortController();
    await Promise.race([
      Promise.all(this.underWay),
      sleep(this.settings.graceMs, undefined, { signal: grace.signal }).catch(() => undefined),
    ]);
    grace.abort();
    this.givingUp.abort();
    clearInterval(this.renewal);
    this.handovers.close();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const found = await this.claim();
      for (const email of found) this.begin(email);
      // Where one claim found something, or has not looked at every tenant, there may be more.
      if (found.length > 0 || this.walkedTo !== undefined) this.due.raise();
      if (found.length > 0) await sleep(CLAIM_GAP_MS);
      await this.due.wait(POLL_MS);
    }
  }

  private async claim(): Promise<OutgoingEmail[]> {
    const limit = Math.min(this.places.free, this.handovers.room());
    if (limit <= 0) return [];
    const { tenantsHolding, perTenant: placesPerTenant, emails } = this.places;
    try {
      const held = emails.map(({ id }) => id);
      const claimed = await this.store.claim(this.id, { limit, held, tenantsHolding, placesPerTenant, after: this.walkedTo });
      this.walkedTo = claimed.walkedTo;
      return claimed.emails;
    } catch (err) {
      this.logger.warn({ err }, 'no mails could be claimed; trying again');
      await sleep(POLL_MS);
      return [];
    }
  }

  private begin(email: OutgoingEmail): void {
    const work = this.deliver(email, this.places.take(email)).finally(() => {
      this.places.leave(email);
      this.underWay.delete(work);
      this.due.raise();
    });
    this.underWay.add(work);
  }

  private async deliver(email: OutgoingEmail, waitMs: number): Promise<void> {
    const id = formatEmailId(email.id);
    if (email.takenOver) {
      leasesTakenOverTotal.inc();
      this.logger.warn({ id, attempt: email.attemptNo }, 'taken over from a worker that ended');
    }
    try {
      const handOver = async (given: OutgoingEmail) => {
        const handover = await this.handovers.handOver(given, (...mark) => this.markDataSent(...mark));
        if (handover.conversationMs !== undefined) this.places.took(email, handover.conversationMs);
        return handover;
      };
      await this.record(email, await deliverEmail(email, waitMs, handOver, this.settings.policy));
    } catch (err) {
      // The lease runs out and the mail is tried again: loud, and not lost.
      this.logger.error({ err, id, attempt: email.attemptNo }, 'a delivery failed with an error not foreseen');
    }
  }

  private async markDataSent(email: OutgoingEmail, relay: string, positions: readonly number[]): Promise<void> {
    if (!(await this.marks.submit({ email, relay, positions }))) throw new Error('the lease was lost');
  }

  private async record(email: OutgoingEmail, outcome: Outcome): Promise<void> {
    const commits = this.outcomesOf(email.tenant);
    const recorded = await commits.submit(outcome).finally(() => commits.isIdle && this.outcomes.delete(email.tenant));
    const { id, attemptNo: attempt } = email;
    if (recorded) observeRecorded(email, outcome);
    else this.logger.warn({ id: formatEmailId(id), attempt }, 'the lease was lost before the outcome was recorded');
  }

  private outcomesOf(tenant: string): GroupCommit<Outcome, boolean> {
    const known = this.outcomes.get(tenant);
    if (known) return known;
    const commits = new GroupCommit<Outcome, boolean>((batch) => this.store.record(this.id, batch, this.givingUp.signal), BATCHES);
    this.outcomes.set(tenant, commits);
    return commits;
  }

  private async renew(): Promise<void> {
    const { emails } = this.places;
    if (emails.length === 0) return;
    try {
      await this.store.renew(this.id, emails);
    } catch (err) {
      this.logger.warn({ err }, 'leases were not renewed; trying again');
    }
  }
}
