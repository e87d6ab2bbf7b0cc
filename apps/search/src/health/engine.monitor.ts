import { Logger } from '@nestjs/common';
import type { GrpcServer, MailClient } from '@sky-genesis/grpc';
import type { Readiness, Ready } from '@sky-genesis/service';
import type { IndexedThrough } from '../documents/indexed-through';
import { engineUp, indexLagSeconds } from '../documents/search.metrics';
import type { PreparedEngine } from './prepared.engine';

const INTERVAL_MS = 1000;
const MAIL_TIMEOUT_MS = 1000;

/** What this process can answer searches from. */
interface SearchState {
  engine: 'up' | 'down';
  /** Asked only where the engine is down. */
  mail: 'up' | 'down' | 'not asked';
}

/**
 * Asks the engine once a second, prepares it first where that has not been done, and tells grpc.health.v1 whether this
 * service can serve: that is so as long as it can answer something, from the engine or, for mail, from MailService.
 */
export class EngineMonitor implements Readiness {
  private readonly logger = new Logger(EngineMonitor.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;
  private lastFault = '';
  private known: SearchState = { engine: 'down', mail: 'not asked' };

  constructor(
    private readonly engine: PreparedEngine,
    private readonly indexedThrough: IndexedThrough,
    private readonly mail: Pick<MailClient, 'isServing'>,
    private readonly server: Pick<GrpcServer, 'setServing'>,
  ) {}

  /** As of at most a second, and the time that the asking takes, ago. */
  ready(): Ready {
    return { name: 'search', isUp: this.canAnswer, details: { ...this.known } };
  }

  /** Resolves after the first time, whatever came of it. */
  async start(): Promise<void> {
    const isUp = await this.ask();
    if (!isUp) this.logger.error(`${this.engine.name} cannot be reached: searches are answered from mail where that is possible`);
    this.askAgain();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private get canAnswer(): boolean {
    return this.known.engine === 'up' || this.known.mail === 'up';
  }

  private askAgain(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      const was = this.known.engine;
      void this.ask().then((isUp) => {
        if (isUp && was === 'down') this.logger.log(`${this.engine.name} is back`);
        if (!isUp && was === 'up') this.logger.error(`${this.engine.name} cannot be reached`);
        this.askAgain();
      });
    }, INTERVAL_MS);
  }

  private async ask(): Promise<boolean> {
    const isUp = await this.check();
    this.known = { engine: isUp ? 'up' : 'down', mail: isUp ? 'not asked' : await this.mailState() };
    engineUp.set({ engine: this.engine.name }, isUp ? 1 : 0);
    indexLagSeconds.set(isUp ? await this.lag() : Number.NaN);
    if (!this.stopped) this.server.setServing(this.canAnswer);
    return isUp;
  }

  private async check(): Promise<boolean> {
    try {
      const isUp = await this.engine.check();
      this.lastFault = '';
      return isUp;
    } catch (err) {
      const { message } = err as Error;
      // It is asked every second, and may have to be put right by somebody.
      if (message !== this.lastFault) this.logger.error({ err }, `${this.engine.name} is not usable`);
      this.lastFault = message;
      return false;
    }
  }

  private mailState(): Promise<'up' | 'down'> {
    return this.mail.isServing(MAIL_TIMEOUT_MS).then(
      (serving) => (serving ? 'up' : 'down'),
      () => 'down',
    );
  }

  private async lag(): Promise<number> {
    const through = await this.indexedThrough.read().catch(() => 0);
    return through === 0 ? Number.NaN : Math.max(0, Date.now() - through) / 1000;
  }
}
