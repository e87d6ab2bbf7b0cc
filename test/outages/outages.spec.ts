import { Client } from 'pg';
import { PostgresServer } from '../../tools/stack/postgres-server';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment, TestSystem } from '../integration/test-system';

describe('PostgreSQL goes away', () => {
  let postgres: PostgresServer;
  let system: TestSystem;

  beforeAll(async () => {
    postgres = await PostgresServer.started();
    const database: TestDatabase = {
      url: postgres.url,
      query: () => Promise.resolve([]),
      drop: () => postgres.remove(),
    };
    system = await TestSystem.start({ GRPC_TIMEOUT: '20', MAIL_RETRY_BASE_SECONDS: '1' }, { database });
  }, 60_000);
  afterAll(() => system?.stop());

  const send = (headers: Record<string, string> = {}) =>
    system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'], body: 'b' }, headers });
  const health = async () => (await system.grpcHealth('sky_genesis.MailService')).status;

  test('503 and UNAVAILABLE within the deadline, never queued; back up, it works without a restart', async () => {
    expect((await send()).status).toBe(202);
    expect(await health()).toBe('SERVING');
    await postgres.stop();

    const answer = await send();
    expect(answer).toMatchObject({ status: 503, body: { code: 'DATABASE_UNAVAILABLE' } });
    const error = await system.grpcError('sendEmail', { email: { to: ['x@example.com'] } });
    expect([error.code, error.reason]).toEqual(['UNAVAILABLE', 'DATABASE_UNAVAILABLE']);
    expect((await system.rest('GET', '/api/v1/mail')).status).toBe(503);
    await eventually(health, (status) => status === 'NOT_SERVING');
    expect((await fetch(`${system.healthUrl}/health/ready`)).status).toBe(503);
    expect((await fetch(`${system.healthUrl}/health/live`)).status).toBe(200);
    expect((await system.rest('GET', '/health/ready')).status).toBe(503);

    await postgres.start();
    await eventually(health, (status) => status === 'SERVING');
    const { status, body } = await send();
    expect(status).toBe(202);
    await eventually(
      async () => (await system.rest('GET', `/api/v1/mail/${String(body.message_id)}`)).body.status,
      (seen) => seen === 'sent',
    );
  }, 60_000);

  test('gone while a mail is being committed: ACCEPT_UNKNOWN, and the same key finds out', async () => {
    const blocker = new Client({ connectionString: postgres.url }).on('error', () => undefined);
    await blocker.connect();
    await blocker.query('begin; lock table email in exclusive mode');
    const waiting = async () => (await blocker.query('select from pg_locks where not granted')).rowCount ?? 0;

    const asked = send({ 'idempotency-key': 'unknown-1' });
    await eventually(waiting, (count) => count > 0);
    // At once: an orderly end would free the lock first, and the mail might be accepted after all.
    process.kill(postgres.pid, 'SIGQUIT');
    await postgres.stop();
    expect(await asked).toMatchObject({ status: 503, body: { code: 'ACCEPT_UNKNOWN' } });

    await postgres.start();
    await eventually(health, (status) => status === 'SERVING');
    const again = await send({ 'idempotency-key': 'unknown-1' });
    const replay = await send({ 'idempotency-key': 'unknown-1' });
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([202, null]);
    expect([replay.body.message_id, replay.headers.get('idempotency-replayed')]).toEqual([again.body.message_id, 'true']);
  }, 60_000);
});

describe('a worker is killed with -9', () => {
  test('its mails are delivered by another within 30 s', async () => {
    const database = await createDatabase();
    const relay = new TestRelay(await freePort());
    // The first conversations hang, as with a relay that is stuck: the worker holds its mails when it is killed.
    let hanging = true;
    await relay.start({ onRcptTo: (_address, _session, done) => (hanging ? undefined : done()) });
    const system = await TestSystem.start({ MAIL_WORKER: 'false' }, { database, relay });
    const victim = await MailProcess.start(await mailEnvironment(database, relay));
    try {
      const ids = await Promise.all(
        Array.from({ length: 5 }, async (_, i) =>
          String((await system.rest('POST', '/api/v1/mail/send', { body: { to: [`r${i}@example.com`] } })).body.message_id),
        ),
      );
      const status = async (id: string) => (await system.rest('GET', `/api/v1/mail/${id}`)).body.status;
      const statuses = () => Promise.all(ids.map(status));
      await eventually(statuses, (all) => all.every((seen) => seen === 'sending'));
      const cancel = await system.rest('POST', `/api/v1/mail/${ids[0]}/cancel`);
      expect(cancel).toMatchObject({ status: 400, body: { code: 'NOTHING_TO_CANCEL' } });

      hanging = false;
      await victim.kill('SIGKILL');
      const heir = await MailProcess.start(await mailEnvironment(database, relay));
      try {
        await eventually(statuses, (all) => all.every((seen) => seen === 'sent'), 30_000);
        for (const id of ids) expect(relay.received(id)).toHaveLength(1);
      } finally {
        await heir.kill('SIGKILL');
      }
    } finally {
      await victim.kill('SIGKILL');
      await system.stop();
    }
  }, 90_000);

  test('SIGTERM: what is under way is finished, and the exit code is 0', async () => {
    const database = await createDatabase();
    const relay = new TestRelay(await freePort());
    const release: (() => void)[] = [];
    await relay.start({ onRcptTo: (_address, _session, done) => void release.push(done) });
    const system = await TestSystem.start({ MAIL_WORKER: 'false' }, { database, relay });
    const worker = await MailProcess.start(await mailEnvironment(database, relay, { DRAIN_SECONDS: '20' }));
    try {
      const { body } = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['last@example.com'] } });
      await eventually(
        () => release.length,
        (held) => held === 1,
      );
      const ended = worker.kill('SIGTERM');
      release.forEach((done) => done());
      expect(await ended).toBe(0);
      expect((await system.rest('GET', `/api/v1/mail/${String(body.message_id)}`)).body.status).toBe('sent');
    } finally {
      await worker.kill('SIGKILL');
      await system.stop();
    }
  }, 60_000);
});

describe('the schema', () => {
  test('an older or a newer one is refused, by name', async () => {
    const database = await createDatabase();
    const relay = new TestRelay(await freePort());
    await relay.start();
    const environment = await mailEnvironment(database, relay);
    try {
      await expect(MailProcess.start(environment)).rejects.toThrow('mail ended with 1');
      const system = await TestSystem.start({}, { database, relay });
      await database.query(`insert into migrations (timestamp, name) values (9999999999999, 'FromTheFuture9999999999999')`);
      await expect(MailProcess.start({ ...environment, GRPC_PORT: String(await freePort()) })).rejects.toThrow('mail ended with 1');
      await system.stop();
    } finally {
      await relay.stop();
    }
  }, 60_000);
});
