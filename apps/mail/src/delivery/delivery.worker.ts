import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { GroupCommit } from '../database/group-commit';
import { formatEmailId } from '../emails/email-id';
import type { Outcome, OutcomePolicy } from './decide-outcome';
import { deliverEmail } from './deliver-email';
import { DeliveryStore, LEASE_MS } from './delivery.store';
import { DueSignal } from './due.signal';
import { HandoverService } from './handover.service';
import type { OutgoingEmail } from './outgoing-email';

const POLL_MS = 1000;
const RENEW_MS = LEASE_MS / 3;

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
  private readonly underWay = new Map<OutgoingEmail, Promise<void>>();
  private readonly outcomes: GroupCommit<Outcome, boolean>;
  /** Whether the last claim left mails behind that were due. */
  private mayBeMore = false;
  private stopping = false;
  private loop: Promise<void> | undefined;
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: DeliveryStore,
    private readonly handovers: HandoverService,
    private readonly due: DueSignal,
    private readonly settings: WorkerSettings,
  ) {
    this.outcomes = new GroupCommit((outcomes) => store.record(this.id, outcomes), {
      maxItems: 64,
      maxBytes: Infinity,
      maxInFlight: 1,
      // Bounded by the mails under way.
      maxWaitingItems: Infinity,
      maxWaitingBytes: Infinity,
      sizeOf: () => 0,
    });
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
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.settings.graceMs)));
    await Promise.race([Promise.all(this.underWay.values()), grace]);
    clearTimeout(timer);
    clearInterval(this.renewal);
    this.handovers.close();
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      const free = this.freePlaces();
      // Claiming for a few free places at a time would cost a statement for each mail.
      if (this.hasRoom(free)) {
        const claimed = await this.claim(free);
        for (const email of claimed) this.begin(email);
        this.mayBeMore = claimed.length === free;
      } else {
        this.mayBeMore = true;
      }
      await this.due.wait(POLL_MS);
    }
  }

  private freePlaces(): number {
    return this.settings.concurrency - this.underWay.size;
  }

  private hasRoom(free: number): boolean {
    return free >= this.settings.concurrency / 2;
  }

  private async claim(limit: number): Promise<OutgoingEmail[]> {
    try {
      return await this.store.claim(
        this.id,
        limit,
        Array.from(this.underWay.keys(), ({ id }) => id),
      );
    } catch (err) {
      this.logger.warn({ err }, 'no mails could be claimed; trying again');
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      return [];
    }
  }

  private begin(email: OutgoingEmail): void {
    const work = this.deliver(email).finally(() => {
      this.underWay.delete(email);
      if (this.mayBeMore && this.hasRoom(this.freePlaces())) this.due.raise();
    });
    this.underWay.set(email, work);
  }

  private async deliver(email: OutgoingEmail): Promise<void> {
    const id = formatEmailId(email.id);
    if (email.takenOver) this.logger.warn({ id, attempt: email.attemptNo }, 'taken over from a worker that ended');
    try {
      const outcome = await deliverEmail(email, (given) => this.handovers.handOver(given), this.settings.policy);
      const recorded = await this.outcomes.submit(outcome);
      if (!recorded) this.logger.warn({ id, attempt: email.attemptNo }, 'the lease was lost before the outcome was recorded');
    } catch (err) {
      // The lease runs out and the mail is tried again: loud, and not lost.
      this.logger.error({ err, id, attempt: email.attemptNo }, 'a delivery failed with an error not foreseen');
    }
  }

  private async renew(): Promise<void> {
    if (this.underWay.size === 0) return;
    try {
      await this.store.renew(this.id, [...this.underWay.keys()]);
    } catch (err) {
      this.logger.warn({ err }, 'leases were not renewed; trying again');
    }
  }
}
