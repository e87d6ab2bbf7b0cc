import { Injectable, Logger } from '@nestjs/common';
import type { GrpcServer } from '@sky-genesis/grpc';
import { DatabaseClient } from '@sky-genesis/database';

const INTERVAL_MS = 1000;

/** Asks the database once a second, and tells grpc.health.v1 whether this service can serve. */
@Injectable()
export class DatabaseMonitor {
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

  /** @throws whatever the database fails with */
  async ping(): Promise<void> {
    await this.database.read({ name: 'ping', text: 'select 1', values: [] });
  }

  private async ask(): Promise<void> {
    const reachable = await this.ping().then(
      () => true,
      () => false,
    );
    if (reachable !== this.reachable)
      this.logger[reachable ? 'log' : 'error'](reachable ? 'the database is back' : 'the database cannot be reached');
    this.reachable = reachable;
    this.server.setServing(reachable);
  }
}
