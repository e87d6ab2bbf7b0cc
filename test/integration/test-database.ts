import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

export interface TestDatabase {
  url: string;
  query<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** A database of its own in the PostgreSQL that jest's global setup started. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = process.env.TEST_POSTGRES_URL;
  if (!server) throw new Error('TEST_POSTGRES_URL is missing: the global setup did not run');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const run = async <Row>(url: string, text: string, values: unknown[] = []): Promise<Row[]> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(text, values)).rows as Row[];
    } finally {
      await client.end();
    }
  };
  await run(`${server}/postgres`, `create database ${name}`);
  const url = `${server}/${name}`;
  return {
    url,
    query: (text, values) => run(url, text, values),
    drop: async () => {
      await run(`${server}/postgres`, `drop database if exists ${name} with (force)`);
    },
  };
}
