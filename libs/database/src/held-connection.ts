import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { PoolClient, QueryResult, QueryResultRow } from 'pg';
import type { QueryCanceller } from './query.canceller';
import { isCanceled, isTransient, refusedByServer } from './sql-state';

/** A statement with a name is prepared once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values: readonly unknown[];
}

/** One of the pool's connections, while somebody has it for itself. */
export class HeldConnection {
  private broken: Error | undefined;

  constructor(
    private readonly client: PoolClient,
    private readonly canceller: QueryCanceller,
  ) {}

  /** Whether it takes another statement. */
  get isFit(): boolean {
    return this.broken === undefined;
  }

  /**
   * @param lost what a connection that ended before the answer means
   * @param signal when it aborts, the statement is cancelled in PostgreSQL, and none is begun any more. What PostgreSQL
   *   answers counts all the same: one that was carried out before the cancel came is not said to have failed
   * @throws the reason of the signal: certainly it was not carried out
   */
  async run<Row extends QueryResultRow>(
    { name, text, values }: Statement,
    lost: (error: Error) => Error,
    signal?: AbortSignal,
  ): Promise<QueryResult<Row>> {
    signal?.throwIfAborted();
    const answered = signal && this.canceller.watch(this.client, signal);
    try {
      return await this.client.query<Row>({ ...(name !== undefined && { name }), text, values: [...values] });
    } catch (error) {
      if (!refusedByServer(error)) {
        this.broken = error as Error;
        throw lost(error as Error);
      }
      if (signal?.aborted && isCanceled(error)) throw signal.reason as Error;
      if (isTransient(error)) throw new RuleError('DATABASE_UNAVAILABLE');
      throw withoutContent(error);
    } finally {
      const cancelling = answered?.();
      if (cancelling && !(await cancelling)) this.broken ??= new Error('a request to cancel may come yet');
    }
  }

  /** Gives it back to the pool, or ends it where it is not fit for another. */
  release(): void {
    this.client.release(this.broken);
  }

  /** Closes it, and with it all that the server keeps for it. */
  end(): void {
    this.client.release(true);
  }
}

/** PostgreSQL quotes rows and parameters in these, and so texts and addresses, which may not come into a log. */
function withoutContent(error: unknown): unknown {
  return Object.assign(error as Error, { detail: undefined, where: undefined });
}
