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
  async run<Row extends QueryResultRow>({ name, text, values }: Statement): Promise<QueryResult<Row>> {
    const client = await this.connect();
    let broken: Error | undefined;
    try {
      return await client.query<Row>({ ...(name !== undefined && { name }), text, values: [...values] });
    } catch (error) {
      if (!refusedByServer(error)) {
        broken = error as Error;
        throw new OutcomeUnknownError({ cause: error });
      }
      if (isTransient(error)) throw new RuleError('DATABASE_UNAVAILABLE');
      throw withoutContent(error);
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

  private async connect(): Promise<PoolClient> {
    const pool = (this.dataSource.driver as unknown as { master: Pool }).master;
    try {
      return await pool.connect();
    } catch {
      throw new RuleError('DATABASE_UNAVAILABLE');
    }
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
