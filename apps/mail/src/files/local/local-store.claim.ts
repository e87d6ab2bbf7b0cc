import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { DatabaseClient, type DatabaseSession } from '@sky-genesis/database';

/** Any number, as long as nothing else locks by it in the same database. */
const TRY = { text: 'select pg_try_advisory_lock(7302815644) as taken', values: [] };
const PING = { text: 'select 1', values: [] };
/** For an instance that is just ending. */
const WAIT_MS = 10_000;
const TRY_EVERY_MS = 250;
const LOOK_EVERY_MS = 2000;

const OTHER_INSTANCE =
  'another instance of mail uses this database, and FILES_STORE=local keeps files in a folder of each: ' +
  'set FILES_SHARED=true where all instances see the same FILES_DIR, or FILES_STORE=s3';

/** The folder is this instance's alone, and another one is at work. */
export class OtherInstanceError extends Error {
  constructor() {
    super(OTHER_INSTANCE);
    this.name = new.target.name;
  }
}

/** Sees to it that one instance of mail uses the database, where each has a folder of its own: a lock of one connection. */
@Injectable()
export class LocalStoreClaim {
  private readonly logger = new Logger(LocalStoreClaim.name);
  private readonly stopping = new AbortController();
  private session: DatabaseSession | undefined;
  private contested = false;
  private watching: Promise<void> | undefined;

  constructor(private readonly database: DatabaseClient) {}

  /** @throws OtherInstanceError when another instance has it after 10 s; RuleError DATABASE_UNAVAILABLE */
  async take(waitMs = WAIT_MS): Promise<void> {
    const deadline = Date.now() + waitMs;
    while (!(await this.tried())) {
      if (Date.now() >= deadline) throw new OtherInstanceError();
      await sleep(TRY_EVERY_MS);
    }
    this.watching = this.watch();
  }

  /** Another instance may begin. */
  async release(): Promise<void> {
    this.stopping.abort();
    await this.watching;
    this.session?.end();
    this.session = undefined;
  }

  private async tried(): Promise<boolean> {
    const session = await this.database.session();
    let taken = false;
    try {
      taken = (await session.run<{ taken: boolean }>(TRY)).rows[0]!.taken;
    } finally {
      if (!taken) session.end();
    }
    if (taken) this.session = session;
    return taken;
  }

  /** The lock ends with its connection, and is taken again. */
  private async watch(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      // A database that is away is told by others, and locks nothing.
      if (!signal.aborted) await this.look().catch(() => undefined);
    }
  }

  private async look(): Promise<void> {
    if (this.session) {
      const alive = await this.session.run(PING).catch(() => undefined);
      if (alive) return;
      this.session.end();
      this.session = undefined;
    }
    const taken = await this.tried();
    if (!taken && !this.contested) this.logger.error(OTHER_INSTANCE);
    this.contested = !taken;
  }
}
