import { Agent, get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { bearer } from './mesh-system';

export interface AnsweredCall {
  /** When it began, in ms from the first. */
  at: number;
  tookMs: number;
  /** 0 where there was none. */
  status: number;
}

/** GETs at a steady rate, to several gateways in turn, whatever becomes of the answers. */
export class SteadyCalls {
  readonly answered: AnsweredCall[] = [];
  private readonly agent = new Agent({ keepAlive: true });
  private readonly headers = { authorization: bearer() };
  private readonly underWay = new Set<Promise<void>>();
  private readonly began = performance.now();
  private stopped = false;
  private readonly running: Promise<void>;

  constructor(
    private readonly urls: readonly string[],
    perSecond: number,
  ) {
    this.running = this.run(perSecond);
  }

  /** In ms from the first call. */
  get now(): number {
    return performance.now() - this.began;
  }

  get failed(): AnsweredCall[] {
    return this.answered.filter(({ status }) => status !== 200);
  }

  /** Resolves when the last is answered. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await Promise.all(this.underWay);
    this.agent.destroy();
  }

  private async run(perSecond: number): Promise<void> {
    for (let number = 0; !this.stopped; number++) {
      const call = this.ask(this.urls[number % this.urls.length]!).finally(() => this.underWay.delete(call));
      this.underWay.add(call);
      await delay(Math.max(1, ((number + 1) * 1000) / perSecond - this.now));
    }
  }

  private async ask(url: string): Promise<void> {
    const at = this.now;
    const status = await new Promise<number>((resolve) => {
      get(url, { agent: this.agent, headers: this.headers }, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode!)).once('error', () => resolve(0));
      }).once('error', () => resolve(0));
    });
    this.answered.push({ at, tookMs: this.now - at, status });
  }
}
