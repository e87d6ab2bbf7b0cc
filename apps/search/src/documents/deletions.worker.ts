import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { SearchEngine } from '../engines/search.engine';

const INTERVAL_MS = 60 * 60 * 1000;
/** The first time, also of a process that does not get an hour old. */
const FIRST_MS = 60 * 1000;
/** An engine forgets a bounded number at once. */
const MAX_ROUNDS = 100;
/** As the contract says it of Document.version. */
const KEPT_DAYS = 7;

/** Forgets deletions a week old, so that what is kept of them does not grow for ever. */
@Injectable()
export class DeletionsWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(DeletionsWorker.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly engine: SearchEngine) {}

  onApplicationBootstrap(): void {
    this.timer = setTimeout(() => void this.sweepAgain(), FIRST_MS);
  }

  onModuleDestroy(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async sweepAgain(): Promise<void> {
    await this.sweep();
    if (!this.stopped) this.timer = setTimeout(() => void this.sweepAgain(), INTERVAL_MS);
  }

  private async sweep(): Promise<void> {
    try {
      let forgotten = 1;
      for (let round = 0; forgotten > 0 && round < MAX_ROUNDS && !this.stopped; round++) {
        forgotten = await this.engine.forgetDeletions(KEPT_DAYS);
      }
    } catch (err) {
      this.logger.warn({ err }, 'old deletions were not forgotten; trying again in an hour');
    }
  }
}
