import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrance } from './entrance';
import { newMail, type NewMail } from './new-mail';
import type { RoundContext } from './round';

const ASK_AGAIN_MS = 100;

export interface FlowOptions {
  /** What the idempotency keys begin with. */
  name: string;
  /** How long a sender rests between two mails; 0 and 0: not at all. */
  pauseMs: { min: number; max: number };
  /** The same for the same number. Left out: a plain mail. */
  mail?: (number: number) => NewMail;
}

/** Sends until it is ended; each mail until somebody has acknowledged it. */
export class Flow {
  /** Ids, with the key that each was asked for by. */
  readonly acknowledged = new Map<string, string>();
  /** When each was acknowledged, in ms since the epoch. */
  readonly acknowledgedAt: number[] = [];
  /** Answers that were no acknowledgement: the mail was asked for again. */
  readonly refusals: string[] = [];
  /** Keys that were answered with two ids. */
  ambiguous = 0;
  private readonly idOf = new Map<string, string>();
  private next = 0;
  private going = false;

  constructor(
    private readonly context: RoundContext,
    private readonly entrances: readonly Entrance[],
    private readonly options: FlowOptions = { name: 'takeover', pauseMs: { min: 0, max: 0 } },
  ) {}

  /** Resolves when it was ended and all that was begun is acknowledged. */
  async begin(): Promise<void> {
    this.going = true;
    await Promise.all(
      Array.from({ length: this.context.concurrency }, async () => {
        while (this.going) await this.send(this.next++);
      }),
    );
  }

  end(): void {
    this.going = false;
  }

  private async send(number: number): Promise<void> {
    const { name, pauseMs, mail: mailOf } = this.options;
    const mail = mailOf?.(number) ?? newMail(this.context.random, number);
    const random = this.context.random.branch(number);
    const key = `${name}-${number}`;
    if (pauseMs.max > 0) await sleep(random.integer(pauseMs.min, pauseMs.max));
    for (;;) {
      const answer = await random.pick(this.entrances).submit(mail, key);
      if (answer.kind === 'accepted') return this.acknowledge(answer.messageId, key);
      this.refusals.push(answer.reason);
      await sleep(ASK_AGAIN_MS);
    }
  }

  private acknowledge(id: string, key: string): void {
    if (this.idOf.has(key) || this.acknowledged.has(id)) this.ambiguous++;
    this.acknowledgedAt.push(Date.now());
    this.idOf.set(key, id);
    this.acknowledged.set(id, key);
  }
}
