import { Client } from 'pg';
import { PostgresServer } from '../../tools/stack/postgres-server';
import { eventually } from '../eventually';
import { request, requests, SubmitClient } from '../integration/submit-client';
import type { TestDatabase } from '../integration/test-database';
import { TestSystem } from '../integration/test-system';

test('drained: what was sent is answered, then SERVER_DRAINING', async () => {
  const system = await TestSystem.start({ DRAIN_SECONDS: '5' });
  const client = new SubmitClient(system.grpcUrl);
  await client.send(requests(0, 100));
  await eventually(
    () => client.results.length,
    (answered) => answered > 0,
  );
  await Promise.all([
    system.stop(),
    client.ended.then((error) => {
      expect(error).toMatchObject({ reason: 'SERVER_DRAINING' });
      expect(client.results).toHaveLength(100);
    }),
  ]);
}, 30_000);

test('PostgreSQL stops amid a stream and comes back: each request is answered, the stream lives on, none is accepted twice', async () => {
  const postgres = await PostgresServer.started();
  const database: TestDatabase = { url: postgres.url, query: () => Promise.resolve([]), drop: () => postgres.remove() };
  const system = await TestSystem.start({ MAIL_WORKER: 'false' }, { database });
  try {
    const client = new SubmitClient(system.grpcUrl);
    let sent = 0;
    const send = async (count: number) => {
      await client.send(requests(sent, count));
      sent += count;
    };
    await send(500);
    await postgres.stop();
    await send(200);
    await eventually(
      () => client.results.length,
      (answered) => answered === sent,
      40_000,
    );
    const failed = client.results.flatMap(({ failure, requestRef }) => (failure ? [requestRef] : []));
    expect(failed.length).toBeGreaterThanOrEqual(200);
    const reasons = new Set(failed.map((ref) => client.errorOf(ref)?.reason));
    for (const reason of reasons) expect(['DATABASE_UNAVAILABLE', 'ACCEPT_UNKNOWN']).toContain(reason);

    await postgres.start();
    const before = client.results.length;
    await eventually(
      async () => {
        await send(1);
        await eventually(
          () => client.results.length,
          (answered) => answered === sent,
        );
        return client.results.at(-1);
      },
      (last) => last?.response !== undefined,
    );
    const again = failed.map((ref) => Number(ref.slice(4)));
    for (let i = 0; i < again.length; i += 100) await client.send(again.slice(i, i + 100).map((number) => request(number)));
    await expect(client.end()).resolves.toBeNull();
    expect(client.results.length).toBeGreaterThan(before + failed.length);
    const admin = new Client({ connectionString: postgres.url });
    await admin.connect();
    const { rows } = await admin.query<{ emails: string; keys: string }>(
      `select count(*) as emails, count(distinct subject) as keys from email where subject in (select 'mail ' || i from generate_series(0, 699) i)`,
    );
    await admin.end();
    expect(rows).toEqual([{ emails: '700', keys: '700' }]);
  } finally {
    await system.stop();
  }
}, 16000);
