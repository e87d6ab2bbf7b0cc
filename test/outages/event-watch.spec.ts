import { randomUUID } from 'node:crypto';
import type { SubmitEmailResponse } from '@sky-genesis/proto';
import { Client } from 'pg';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { startMail } from '../../apps/mail/src/start-mail';
import { EventStore } from '../../apps/mail/src/events/event.store';
import { PostgresServer } from '../../tools/stack/postgres-server';
import { eventually } from '../eventually';
import { EventWatcher } from '../integration/event-watcher';
import { plantEvents } from '../integration/planted-events';
import { mailEnvironment, TestSystem, token } from '../integration/test-system';

let system: TestSystem;
const watchers: EventWatcher[] = [];

beforeAll(async () => {
  system = await TestSystem.start({ GRPC_STREAMS_PER_TENANT: '3' });
}, 30_000);
afterAll(() => system?.stop());
afterEach(() => {
  jest.restoreAllMocks();
  for (const watcher of watchers.splice(0)) watcher.close();
});

/** Tests share a database, and have a tenant each. */
let tenant = '';
let bearer = '';
beforeEach(() => {
  tenant = `t${randomUUID()}`;
  bearer = token({ tenant });
});

const watch = async (request: ConstructorParameters<typeof EventWatcher>[1] = {}, as = bearer, grpcUrl = system.grpcUrl) => {
  const watcher = await EventWatcher.opened(grpcUrl, request, as);
  watchers.push(watcher);
  return watcher;
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

test('two mail systems write at once: watchers of both see all of it, in order and without gaps', async () => {
  const second = await TestSystem.start({}, { database: { ...system.database, drop: () => Promise.resolve() } });
  try {
    const early = await Promise.all([watch({ after: '0' }), watch({ after: '0' }, bearer, second.grpcUrl)]);
    const submits = range(1, 300).map((n) =>
      (n % 2 ? system : second).grpc<SubmitEmailResponse>(
        'submitEmail',
        { email: { to: ['x@example.com'], body: 'b' } },
        { token: bearer },
      ),
    );
    const ids = (await Promise.all(submits)).map(({ messageId }) => messageId);
    await Promise.all(early.map((watcher) => watcher.until(600)));
    const late = await watch({ after: '0' });
    await late.until(600);
    for (const watcher of [...early, late]) {
      expect(watcher.cursors).toEqual(range(1, 600));
      expect(watcher.events).toEqual(late.events);
    }
    const of = (type: string) =>
      late.events
        .filter((event) => event.type === type)
        .map(({ messageId }) => messageId)
        .sort();
    expect([of('email.queued'), of('email.sent')]).toEqual([[...ids].sort(), [...ids].sort()]);
  } finally {
    for (const watcher of watchers.splice(0)) watcher.close();
    await second.stop();
  }
}, 60_000);

test('a transaction that someone leaves open holds no event back', async () => {
  const stranger = new Client({ connectionString: system.database.url });
  await stranger.connect();
  await stranger.query('create table left_open (n integer)');
  try {
    await stranger.query('begin isolation level repeatable read');
    await stranger.query('insert into left_open values (1)');
    await stranger.query('select count(*) from event');
    const watcher = await watch();
    await system.grpc('sendEmail', { email: { to: ['x@example.com'], body: 'b' } }, { token: bearer });
    expect((await watcher.until(2)).map(({ type }) => type)).toEqual(['email.queued', 'email.sent']);
    await plantEvents(system.database, 5000, { tenant });
    expect(await watcher.until(5002)).toHaveLength(5002);
    await stranger.query('commit');
  } finally {
    await stranger.end();
  }
});

test('a watcher that does not read costs a few batches, and delays nobody', async () => {
  const count = 20_000;
  const reads = jest.spyOn(EventStore.prototype, 'page');
  const readsOfSlow = () => reads.mock.calls.filter(([of, , { types }]) => of === tenant && types !== undefined).length;
  const [slow, fast] = [await watch({ types: ['email.deferred'] }), await watch()];
  slow.pause();
  for (let planted = 0; planted < count; planted += 2000) {
    await plantEvents(system.database, 2000, { tenant, detail: 'x'.repeat(512) });
  }
  await fast.until(count);
  const before = readsOfSlow();
  // Of a hundred batches: 16 wait at the client, which takes in no more, and one or two on the way.
  expect(before).toBeLessThan(25);
  await plantEvents(system.database, 1, { tenant });
  await fast.until(count + 1);
  expect([fast.cursors, readsOfSlow()]).toEqual([range(1, count + 1), before]);
  slow.resume();
  await slow.until(count + 1);
  expect(slow.cursors).toEqual(range(1, count + 1));
}, 60_000);

describe('the end of a watch', () => {
  test('by its token: the cursor as a last answer, and as a fact; another token goes on from it', async () => {
    const watcher = await watch({}, token({ tenant }, 3));
    await plantEvents(system.database, 3, { tenant });
    expect(await watcher.ended()).toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'UNAUTHENTICATED',
      message: 'the token expired',
      details: { facts: { cursor: '3' } },
    });
    expect([watcher.cursors, watcher.batches.at(-1)]).toEqual([[1, 2, 3], { events: [], cursor: '3' }]);
    await plantEvents(system.database, 1, { tenant });
    const next = await watch({ after: watcher.error!.details.facts!.cursor! });
    await next.until(1);
    expect(next.cursors).toEqual([4]);
  });

  test('by its token, though it does not read', async () => {
    await plantEvents(system.database, 5000, { tenant, detail: 'x'.repeat(512) });
    const short = token({ tenant }, 2);
    const watcher = new EventWatcher(system.grpcUrl, { after: '0' }, short);
    watchers.push(watcher);
    watcher.pause();
    // One that reads, and ends with the same token.
    await (await watch({}, short)).ended();
    watcher.resume();
    const { reason, details } = await watcher.ended();
    expect([reason, details.facts]).toEqual(['UNAUTHENTICATED', { cursor: watcher.cursor }]);
    expect(watcher.cursors).toEqual(range(1, Number(watcher.cursor)));
    expect(watcher.cursors.length).toBeLessThan(5000);
  });

  test('by its token makes room for others', async () => {
    const short = await Promise.all([1, 2, 3].map(() => watch({}, token({ tenant }, 3))));
    expect((await watch()).error).toMatchObject({ reason: 'TOO_MANY_STREAMS' });
    await Promise.all(short.map((watcher) => watcher.ended()));
    await eventually(
      () => watch(),
      ({ error }) => error === undefined,
    );
  });

  test('by the stop of the server: at once, with the cursor', async () => {
    const environment = await mailEnvironment(system.database, system.relay, { DRAIN_SECONDS: '60' });
    const second = await startMail(readMailConfig(environment));
    const watcher = await watch({}, bearer, second.grpcUrl);
    await plantEvents(system.database, 2, { tenant });
    await watcher.until(2);
    await second.close();
    expect(await watcher.ended()).toMatchObject({ code: 'UNAVAILABLE', reason: 'SERVER_DRAINING', details: { facts: { cursor: '2' } } });
    expect(watcher.batches.at(-1)).toEqual({ events: [], cursor: '2' });
  });
});

test('a tenant has so many watches at once, and another gets its own; one that ends makes room', async () => {
  const open = await Promise.all([watch(), watch(), watch()]);
  const refused = await watch();
  expect(refused.error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'TOO_MANY_STREAMS' });
  expect((await watch({}, token({ tenant: `t${randomUUID()}` }))).error).toBeUndefined();
  open[0]!.close();
  const room = await eventually(
    () => watch(),
    ({ error }) => error === undefined,
  );
  await plantEvents(system.database, 1, { tenant });
  expect(await room.until(1)).toHaveLength(1);
});

test('the database goes away and comes back: a watch goes on, and has missed and repeated nothing', async () => {
  const postgres = await PostgresServer.started();
  const database = {
    url: postgres.url,
    query: async <Row>(text: string, values: unknown[] = []) => {
      const client = new Client({ connectionString: postgres.url });
      await client.connect();
      try {
        return (await client.query(text, values)).rows as Row[];
      } finally {
        await client.end();
      }
    },
    drop: () => postgres.remove(),
  };
  const away = await TestSystem.start({}, { database });
  try {
    const watcher = await watch({}, bearer, away.grpcUrl);
    await plantEvents(database, 300, { tenant });
    await watcher.until(300);
    await postgres.stop();
    await eventually(
      () => away.grpcHealth('sky_genesis.MailService'),
      ({ status }) => status === 'NOT_SERVING',
    );
    expect((await watch({}, bearer, away.grpcUrl)).error).toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    await postgres.start();
    await plantEvents(database, 300, { tenant });
    await watcher.until(600);
    expect([watcher.cursors, watcher.error]).toEqual([range(1, 600), undefined]);
  } finally {
    await away.stop();
  }
}, 60_000);
