import { Client } from 'pg';
import { closedLoop, type Load } from './load';

/** The yardstick: one row of the mail's size in one transaction, prepared, as durable as PostgreSQL is set up. */
export async function insertLoad(databaseUrl: string, payload: string, callers: number, seconds: number): Promise<Load> {
  const clients = await Promise.all(
    Array.from({ length: callers }, async () => {
      const client = new Client({ connectionString: databaseUrl });
      await client.connect();
      return client;
    }),
  );
  try {
    await clients[0]?.query('create table if not exists bench_row (id bigserial primary key, payload text not null)');
    return await closedLoop(callers, seconds, async (caller) => {
      await clients[caller]?.query({ name: 'insert', text: 'insert into bench_row (payload) values ($1)', values: [payload] });
    });
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}
