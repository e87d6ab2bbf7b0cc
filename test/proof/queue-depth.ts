import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Started } from './started';

const EVERY_MS = 1000;
const ANSWER_MS = 900;

/** How many mails are queued, asked for every second; null for a second in which the database did not say. */
export class QueueDepth {
  readonly perSecond: (number | null)[] = [];
  private client: Client | undefined;
  private going = true;

  constructor(
    private readonly url: string,
    started: Started,
  ) {
    const watching = this.watch();
    started.onEnd(async () => {
      this.going = false;
      await watching;
    });
  }

  private async watch(): Promise<void> {
    for (const beganAt = Date.now(); this.going;) {
      const depth = await this.ask().catch(() => null);
      if (depth === null) this.giveUp();
      this.perSecond.push(depth);
      await sleep(Math.max(0, beganAt + this.perSecond.length * EVERY_MS - Date.now()));
    }
    this.giveUp();
  }

  private async ask(): Promise<number> {
    if (!this.client) {
      this.client = new Client({ connectionString: this.url, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS });
      this.client.on('error', () => undefined);
      await this.client.connect();
    }
    const { rows } = await this.client.query<{ count: string }>('select count(*) from job');
    return Number(rows[0]?.count);
  }

  private giveUp(): void {
    this.client?.end().catch(() => undefined);
    this.client = undefined;
  }
}
