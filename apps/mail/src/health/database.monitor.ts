import { Injectable, Logger } from '@nestjs/common';
import { GrpcServer } from '@sky-genesis/grpc';
import { DatabaseClient } from '@sky-genesis/database';
import type { Readiness, Ready } from '@sky-genesis/service';

const INTERVAL_MS = 1000;

/** Asks the database once a second, and tells grpc.health.v1 whether this service can serve. */
@Injectable()
export class DatabaseMonitor implements Readiness {
  private readonly logger = new Logger(DatabaseMonitor.name);
  private timer: NodeJS.Timeout | undefined;
  private reachable = true;

  constructor(
    private readonly database: DatabaseClient,
    private readonly server: GrpcServer,
  ) {}

  async start(): Promise<void> {
    await this.ask();
    this.timer = setInterval(() => void this.ask(), INTERVAL_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  async ready(): Promise<Ready> {
    return { name: 'database', isUp: await this.answers() };
  }

  private answers(): Promise<boolean> {
    return this.database.read({ name: 'ping', text: 'select 1', values: [] }).then(
      () => true,
      () => false,
    );
  }

  private async ask(): Promise<void> {
    const reachable = await this.answers();
    if (reachable !== this.reachable)
      this.logger[reachable ? 'log' : 'error'](reachable ? 'the database is back' : 'the database cannot be reached');
    this.reachable = reachable;
    this.server.setServing(reachable);
  }
}
