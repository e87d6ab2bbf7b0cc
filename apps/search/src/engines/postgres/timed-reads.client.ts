import { randomUUID } from 'node:crypto';
import type { DatabaseClient, Statement } from '@sky-genesis/database';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { QueryResultRow } from 'pg';

/** Reads of one search: when its caller has gone, or its time is over, they end in the database, too. */
export class TimedReads {
  private readonly mark = `search ${randomUUID()}`;
  private running = 0;
  private reject: (error: Error) => void = () => undefined;
  private readonly over: Promise<never>;
  private readonly timer: NodeJS.Timeout;
  private readonly abort = () => this.end(new RuleError('CANCELLED'));

  constructor(
    private readonly database: DatabaseClient,
    private readonly signal: AbortSignal,
    timeoutMs: number,
  ) {
    this.over = new Promise((_, reject) => (this.reject = reject));
    // Also when nobody waits for it.
    this.over.catch(() => undefined);
    this.timer = setTimeout(() => this.end(new RuleError('DEADLINE_EXCEEDED')), timeoutMs);
    if (signal.aborted) this.abort();
    else signal.addEventListener('abort', this.abort, { once: true });
  }

  /**
   * @throws RuleError CANCELLED, DEADLINE_EXCEEDED
   * @throws whatever DatabaseClient throws
   */
  async read<Row extends QueryResultRow>({ text, values }: Statement): Promise<Row[]> {
    if (this.signal.aborted) return this.over;
    this.running++;
    const rows = this.database.read<Row>({ text: `/* ${this.mark} */ ${text}`, values }).finally(() => this.running--);
    return Promise.race([rows, this.over]);
  }

  /** Once nothing more is read. */
  close(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.abort);
  }

  private end(error: Error): void {
    this.close();
    this.reject(error);
    if (this.running > 0) this.cancel().catch(() => undefined);
  }

  /** By the mark in its text, which no other statement has. */
  private cancel(): Promise<unknown> {
    return this.database.read({
      text: `select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and usename = current_user and state = 'active' and starts_with(query, $1)`,
      values: [`/* ${this.mark} */`],
    });
  }
}
