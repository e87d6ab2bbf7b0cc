import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { DataSource } from 'typeorm';

/** A statement with a name is prepared once per connection. */
export interface Statement {
  name?: string;
  text: string;
  values: readonly unknown[];
}

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

/** TypeORM's pool, with two kinds of failure told apart: nothing was done, or it is not known what was done. */
@Injectable()
export class DatabaseClient {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Runs one statement, which is its own transaction.
   * @throws RuleError DATABASE_UNAVAILABLE if it certainly was not carried out
   * @throws OutcomeUnknownError
   * @throws DatabaseError (pg) as PostgreSQL refused it
   */
  async run<Row extends QueryResultRow>(statement: Statement): Promise<QueryResult<Row>> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      return await query<Row>(client, statement, (error) => {
        broken = error;
        return new OutcomeUnknownError({ cause: error });
      });
    } finally {
      client.release(broken);
    }
  }

  /** For reads: a lost connection is no doubt, only a failure. */
  async read<Row extends QueryResultRow>(statement: Statement): Promise<Row[]> {
    try {
      return (await this.run<Row>(statement)).rows;
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
    const client = await this.connect();
    let broken: Error | undefined;
    const run: RunInTransaction = (statement) =>
      query(client, statement, (error) => {
        broken = error;
        return statement === COMMIT ? new OutcomeUnknownError({ cause: error }) : new RuleError('DATABASE_UNAVAILABLE');
      });
    try {
      await run(BEGIN);
      const result = await work(run);
      await run(COMMIT);
      return result;
    } catch (error) {
      if (!broken) await run(ROLLBACK).catch(() => undefined);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  /**
   * One of the pool's connections, for what lasts as long as its session, such as a lock. Whoever asks for it ends it.
   * @throws RuleError DATABASE_UNAVAILABLE
   */
  async session(): Promise<DatabaseSession> {
    const client = await this.connect();
    return {
      run: (statement) => query(client, statement, () => new RuleError('DATABASE_UNAVAILABLE')),
      end: () => client.release(true),
    };
  }

  private async connect(): Promise<PoolClient> {
    const pool = (this.dataSource.driver as unknown as { master: Pool }).master;
    try {
      return await pool.connect();
    } catch {
      throw new RuleError('DATABASE_UNAVAILABLE');
    }
  }
}

/** @param lost what a connection that ended before the answer means */
async function query<Row extends QueryResultRow>(
  client: PoolClient,
  { name, text, values }: Statement,
  lost: (error: Error) => Error,
): Promise<QueryResult<Row>> {
  try {
    return await client.query<Row>({ ...(name !== undefined && { name }), text, values: [...values] });
  } catch (error) {
    if (!refusedByServer(error)) throw lost(error as Error);
    if (isTransient(error)) throw new RuleError('DATABASE_UNAVAILABLE');
    throw withoutContent(error);
  }
}

/** The five characters of an SQLSTATE, where PostgreSQL itself answered. */
export function sqlState(error: unknown): string {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' ? code : '';
}

/** A reply with an SQLSTATE means that the transaction was rolled back, except where the server ended the session. */
function refusedByServer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== '' && !state.startsWith('08') && !/^57P0[1-4]$/.test(state);
}

/** PostgreSQL quotes rows and parameters in these, and so texts and addresses, which may not come into a log. */
function withoutContent(error: unknown): unknown {
  return Object.assign(error as Error, { detail: undefined, where: undefined });
}

/** Out of resources, canceled by a timeout, or not yet accepting: nothing is wrong with the statement. */
const isTransient = (error: unknown): boolean => /^(53|57|58)/.test(sqlState(error)) || sqlState(error) === '25006';
