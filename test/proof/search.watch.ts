import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from './seeded-random';
import type { SearchEntrance, SearchQuestion, SearchReply } from './search.entrance';
import { judge, type Verdict } from './search.judge';
import type { Acknowledged } from './search.sends';

/** As many ids as one filter takes. */
const BATCH = 50;
const NEWEST = 15;
const OLD = 10;
const PAUSE_MS = { min: 50, max: 250 };

/** How a mail is asked for: by ids, many at once; by its words; by an operator that mail's own list knows, too. */
const WAYS = ['ids', 'ids', 'word', 'subject:'] as const;
export type Way = (typeof WAYS)[number];

export interface SeenAnswer {
  tenant: string;
  way: Way;
  /** In ms since the epoch. */
  askedAt: number;
  answeredAt: number;
  verdict: Verdict;
  /** Of an error: the product's word; of a degraded answer: its reason. */
  reason: string;
  /** Only of a complete answer. */
  throughMs?: number;
  /** How many results it has. */
  found: number;
  lacking: readonly Acknowledged[];
}

/** A searcher of one tenant, who asks all the time and checks each answer at once against what was acknowledged. */
export class SearchWatch {
  /** Mails that a complete answer has had. */
  readonly seen = new Set<string>();
  /** From its acknowledgement to the first answer that had it, for each mail. */
  readonly findableMs: number[] = [];
  private going = true;

  constructor(
    private readonly tenant: string,
    private readonly entrance: SearchEntrance,
    private readonly acknowledged: readonly Acknowledged[],
    private readonly random: SeededRandom,
    private readonly tell: (answer: SeenAnswer) => void,
  ) {}

  /** Resolves when it was ended. */
  async begin(): Promise<void> {
    while (this.going) {
      await sleep(this.random.integer(PAUSE_MS.min, PAUSE_MS.max));
      if (this.acknowledged.length > 0) await this.askOnce();
    }
  }

  end(): void {
    this.going = false;
  }

  private async askOnce(): Promise<void> {
    const way = this.random.pick(WAYS);
    const asked =
      way === 'ids' ? this.batch() : [this.random.pick(this.random.next() < 0.5 ? this.acknowledged.slice(-BATCH) : this.acknowledged)];
    const askedAt = Date.now();
    const reply = await this.entrance.ask(this.questionFor(way, asked));
    const answeredAt = Date.now();
    const { verdict, lacking } = judge(reply, asked);
    if (verdict === 'right') this.markSeen(reply, asked, answeredAt);
    this.tell({ tenant: this.tenant, way, askedAt, answeredAt, verdict, lacking, ...told(reply, verdict) });
  }

  /** Those not seen yet, oldest first, with the newest and some that were seen before: what was there may be lost again. */
  private batch(): Acknowledged[] {
    const newest = this.acknowledged.slice(-NEWEST);
    const old = Array.from({ length: OLD }, () => this.random.pick(this.acknowledged));
    const picked = new Set([...newest, ...old]);
    for (let i = 0; i < this.acknowledged.length && picked.size < BATCH; i++) {
      const mail = this.acknowledged[i] as Acknowledged;
      if (!this.seen.has(mail.id)) picked.add(mail);
    }
    return [...picked];
  }

  private questionFor(way: Way, asked: readonly Acknowledged[]): SearchQuestion {
    const [first] = asked;
    switch (way) {
      case 'ids':
        return { filter: [`id:${asked.map(({ id }) => id).join('|')}`], limit: 100 };
      case 'word':
        return { q: this.random.next() < 0.5 ? first?.subjectWord : first?.bodyWord };
      case 'subject:':
        return { q: `subject:${first?.subjectWord}` };
    }
  }

  private markSeen(reply: SearchReply, asked: readonly Acknowledged[], answeredAt: number): void {
    if (reply.kind !== 'page') return;
    const found = new Set(reply.page.results.map(({ id }) => id));
    for (const { id, at } of asked) {
      if (!found.has(id) || this.seen.has(id)) continue;
      this.seen.add(id);
      this.findableMs.push(answeredAt - at);
    }
  }
}

function told(reply: SearchReply, verdict: Verdict): Pick<SeenAnswer, 'reason' | 'throughMs' | 'found'> {
  if (reply.kind === 'refused') return { reason: `${reply.status} ${reply.reason}`, found: 0 };
  const { degraded_reason: reason = '', indexed_through_ms: throughMs, results } = reply.page;
  return { reason, found: results.length, ...(verdict !== 'degraded' && { throughMs }) };
}
