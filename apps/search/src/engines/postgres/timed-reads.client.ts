import type { DatabaseClient, Statement } from '@sky-genesis/database';
import { orAborted } from '@sky-genesis/grpc/or-aborted';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { QueryResultRow } from 'pg';

/** Reads of one search: when its caller has gone, or its time is over, they end in the database, too. */
export class TimedReads {
  private readonly ending = new AbortController();
  private readonly timer: NodeJS.Timeout;
  private readonly abort = () => this.end(new RuleError('CANCELLED'));

  constructor(
    private readonly database: DatabaseClient,
    private readonly signal: AbortSignal,
    timeoutMs: number,
  ) {
    const late = new RuleError('DEADLINE_EXCEEDED', `the search had no answer of its database within ${timeoutMs} ms`);
    this.timer = setTimeout(() => this.end(late), timeoutMs);
    if (signal.aborted) this.abort();
    else signal.addEventListener('abort', this.abort, { once: true });
  }

  /**
   * @throws RuleError CANCELLED, DEADLINE_EXCEEDED
   * @throws whatever DatabaseClient throws
   */
  read<Row extends QueryResultRow>(statement: Statement): Promise<Row[]> {
    const { signal } = this.ending;
    // The caller has its answer at once; the connection is free when PostgreSQL has ended it.
    return orAborted(this.database.read<Row>(statement, signal), signal);
  }

  /** Once nothing more is read. */
  close(): void {
    clearTimeout(this.timer);
    this.signal.removeEventListener('abort', this.abort);
  }

  private end(reason: RuleError): void {
    this.close();
    this.ending.abort(reason);
  }
}
