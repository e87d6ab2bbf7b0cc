import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrance } from './entrance';
import { newMail } from './new-mail';
import type { RoundContext } from './round';

const ASK_AGAIN_MS = 100;

/** Sends without a pause, until it is ended; each mail until somebody has acknowledged it. */
export class Flow {
  /** Ids, with the key that each was asked for by. */
  readonly acknowledged = new Map<string, string>();
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
    const mail = newMail(this.context.random, number);
    const random = this.context.random.branch(number);
    const key = `takeover-${number}`;
    for (;;) {
      const answer = await random.pick(this.entrances).submit(mail, key);
      if (answer.kind === 'accepted') return this.acknowledge(answer.messageId, key);
      this.refusals.push(answer.reason);
      await sleep(ASK_AGAIN_MS);
    }
  }

  private acknowledge(id: string, key: string): void {
    if (this.idOf.has(key) || this.acknowledged.has(id)) this.ambiguous++;
    this.idOf.set(key, id);
    this.acknowledged.set(id, key);
  }
}
