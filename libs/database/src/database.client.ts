import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { callContext } from '@sky-genesis/grpc/call-context';
import { orAborted } from '@sky-genesis/grpc/or-aborted';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { Pool, QueryResult, QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';
import { HeldConnection, type Statement } from './held-connection';
import { QueryCanceller } from './query.canceller';

/** The statement may have been carried out or not: its connection ended before the answer came. */
export class OutcomeUnknownError extends Error {
  constructor(options: ErrorOptions) {
    super('the connection to the database ended before the answer came', options);
    this.name = new.target.name;
  }
}

/** Runs a statement of a transaction. */
export type RunInTransaction = <Row extends QueryResultRow>(statement: Statement) => Promise<QueryResult<Row>>;

/** A connection that one caller has for itself. */
export interface DatabaseSession {
  /** @throws RuleError DATABASE_UNAVAILABLE also where the connection ended; it may have been carried out */
  run<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>>;
  /** Closes the connection, and with it all that the server keeps for it. */
  end(): void;
}

const [BEGIN, COMMIT, ROLLBACK] = ['begin', 'commit', 'rollback'].map((text): Statement => ({ text, values: [] })) as [
  Statement,
  Statement,
  Statement,
];

/**
 * TypeORM's pool, with two kinds of failure told apart: nothing was done, or it is not known what was done.
 *
 * What runs in a call's context ends with the call, in PostgreSQL, too: a query that runs is cancelled there, and a
 * connection is waited for no longer. All methods then throw the reason of the call's signal, which says that nothing was
 * done; what had been carried out before the cancel came is given as ever. What others wait for, too, or what must be done
 * when the call has ended, runs `beyondCall`.
 */
@Injectable()
export class DatabaseClient {
  private readonly canceller = new QueryCanceller();

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Runs one statement, which is its own transaction.
   * @param signal what it ends with, in place of the call at hand
   * @throws RuleError DATABASE_UNAVAILABLE if it certainly was not carried out
   * @throws OutcomeUnknownError
   * @throws DatabaseError (pg) as PostgreSQL refused it
   */
  async run<Row extends QueryResultRow>(statement: Statement, signal: AbortSignal | undefined = signalOfCall()): Promise<QueryResult<Row>> {
    const connection = await this.connect(signal);
    try {
      return await connection.run<Row>(statement, (cause) => new OutcomeUnknownError({ cause }), signal);
    } finally {
      connection.release();
    }
  }

  /** For reads: a lost connection is no doubt, only a failure. */
  async read<Row extends QueryResultRow>(statement: Statement, signal: AbortSignal | undefined = signalOfCall()): Promise<Row[]> {
    try {
      return (await this.run<Row>(statement, signal)).rows;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw new RuleError('DATABASE_UNAVAILABLE');
      throw error;
    }
  }

  /**
   * For a change that its caller can look for, and ask for again.
   * @throws RuleError CHANGE_UNKNOWN beside what `run` throws
   */
  async change<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>> {
    try {
      return await this.run<Row>(statement);
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw new RuleError('CHANGE_UNKNOWN');
      throw error;
    }
  }

  /**
   * Runs several statements as one transaction (READ COMMITTED: each sees what was committed before it began). What `work`
   * throws rolls it back. It must be short, and wait for nothing but its statements.
   * @throws as `run`: OutcomeUnknownError only where the commit was not answered
   */
  async transaction<Result>(work: (run: RunInTransaction) => Promise<Result>): Promise<Result> {
    const signal = signalOfCall();
    const connection = await this.connect(signal);
    const unavailable = () => new RuleError('DATABASE_UNAVAILABLE');
    try {
      await connection.run(BEGIN, unavailable);
      const result = await work((statement) => connection.run(statement, unavailable, signal));
      signal?.throwIfAborted();
      // Never cancelled: a commit that waits for a standby would be done here, and not there.
      await connection.run(COMMIT, (cause) => new OutcomeUnknownError({ cause }));
      return result;
    } catch (error) {
      if (connection.isFit) await connection.run(ROLLBACK, unavailable).catch(() => undefined);
      throw error;
    } finally {
      connection.release();
    }
  }

  /**
   * One of the pool's connections, for what lasts as long as its session, such as a lock, and so longer than a call. Whoever
   * asks for it ends it.
   * @throws RuleError DATABASE_UNAVAILABLE
   */
  async session(): Promise<DatabaseSession> {
    const connection = await this.connect(undefined);
    return {
      run: (statement) => connection.run(statement, () => new RuleError('DATABASE_UNAVAILABLE')),
      end: () => connection.end(),
    };
  }

  private async connect(signal: AbortSignal | undefined): Promise<HeldConnection> {
    signal?.throwIfAborted();
    const pool = (this.dataSource.driver as unknown as { master: Pool }).master;
    const connecting = pool.connect();
    try {
      return new HeldConnection(await (signal ? orAborted(connecting, signal) : connecting), this.canceller);
    } catch {
      if (!signal?.aborted) throw new RuleError('DATABASE_UNAVAILABLE');
      // The pool takes nobody out of its line: for whom it comes too late, it comes all the same.
      connecting.then(
        (client) => client.release(),
        () => undefined,
      );
      throw signal.reason as Error;
    }
  }
}

const signalOfCall = (): AbortSignal | undefined => callContext.getStore()?.signal;
