import { Client } from 'pg';
import type { Started } from './started';

/** What a stranger may do to the database: a transaction that has written and one that has only looked, both left open. */
export class OpenTransactions {
  private constructor(private readonly clients: readonly Client[]) {}

  static async begin(url: string | undefined, started: Started): Promise<OpenTransactions> {
    const [writer, reader] = [new Client({ connectionString: url }), new Client({ connectionString: url })];
    for (const client of [writer, reader]) {
      client.on('error', () => undefined);
      started.onEnd(() => client.end());
      await client.connect();
    }
    await writer.query('create table left_open (n integer)');
    await writer.query('begin; insert into left_open values (1)');
    await reader.query('begin isolation level repeatable read; select count(*) from event');
    return new OpenTransactions([writer, reader]);
  }

  async commit(): Promise<void> {
    for (const client of this.clients) await client.query('commit');
  }
}
