import { setTimeout as sleep } from 'node:timers/promises';
import { eachOf } from './each-of';
import type { Entrance } from './entrance';
import { newMail } from './new-mail';
import type { RoundContext } from './round';

const ASK_AGAIN_MS = 100;

/** A mail whose acknowledgement has come. */
export interface Acknowledged {
  id: string;
  /** In its subject and in that of no other. */
  subjectWord: string;
  /** In its body and in that of no other. */
  bodyWord: string;
  /** When the answer had come, in ms since the epoch: it was accepted before. */
  at: number;
}

export interface SendingTenant {
  name: string;
  entrances: readonly Entrance[];
}

/** So many mails of several tenants in turn, each with words of its own; each is asked for until it is acknowledged. */
export class SearchSends {
  /** By tenant, in the order of the acknowledgements. */
  readonly acknowledged: ReadonlyMap<string, Acknowledged[]>;
  /** Answers that were no acknowledgement: the mail was asked for again. */
  readonly refusals: string[] = [];

  constructor(
    private readonly context: RoundContext,
    private readonly tenants: readonly SendingTenant[],
    private readonly pauseMs: { min: number; max: number },
  ) {
    this.acknowledged = new Map(tenants.map(({ name }) => [name, []]));
  }

  get size(): number {
    return [...this.acknowledged.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /** When the last one was acknowledged. */
  get lastAt(): number {
    return Math.max(...[...this.acknowledged.values()].map((mails) => mails.at(-1)?.at ?? 0));
  }

  /** Resolves when all are acknowledged. */
  async all(): Promise<void> {
    const numbers = Array.from({ length: this.context.count }, (_, number) => number);
    await eachOf(numbers, this.context.concurrency, (number) => this.send(number));
  }

  private async send(number: number): Promise<void> {
    const random = this.context.random.branch(number);
    const tenant = this.tenants[number % this.tenants.length] as SendingTenant;
    const subjectWord = `subject${number}x${random.integer(0, 0xffffff).toString(16)}`;
    const bodyWord = `body${number}x${random.integer(0, 0xffffff).toString(16)}`;
    const plain = newMail(this.context.random, number);
    const mail = { ...plain, subject: `${subjectWord} ${plain.subject}`, body: `${plain.body}\r\n${bodyWord}` };
    await sleep(random.integer(this.pauseMs.min, this.pauseMs.max));
    for (;;) {
      const answer = await random.pick(tenant.entrances).submit(mail, `search-${number}`);
      const at = Date.now();
      if (answer.kind === 'accepted') {
        this.acknowledged.get(tenant.name)?.push({ id: answer.messageId, subjectWord, bodyWord, at });
        return;
      }
      this.refusals.push(answer.reason);
      await sleep(ASK_AGAIN_MS);
    }
  }
}
