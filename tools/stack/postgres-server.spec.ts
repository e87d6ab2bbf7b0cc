import { Client } from 'pg';
import { PostgresServer } from './postgres-server';

async function ask(url: string, sql: string): Promise<unknown[][]> {
  const client = new Client(url);
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][];
  } finally {
    await client.end();
  }
}

test('a server with settings of its own goes away and comes back, with what it had', async () => {
  const server = await PostgresServer.started({ max_connections: '17' });
  try {
    await ask(server.url, 'CREATE TABLE kept AS SELECT 1');
    await server.stop();
    await expect(ask(server.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await ask(server.url, "SELECT current_setting('max_connections'), current_setting('fsync') FROM kept")).toEqual([['17', 'on']]);
  } finally {
    await server.remove();
  }
});
