import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { SearchFeedStore } from '../../apps/mail/src/events/search-feed/search-feed.store';
import type { SearchFeedWorker } from '../../apps/mail/src/events/search-feed/search-feed.worker';
import { eventually } from '../eventually';
import { plantEvents } from '../integration/planted-events';
import { FeedSystem } from '../integration/search-feed-system';

let system: FeedSystem;
let tenant = '';

beforeAll(async () => {
  Logger.overrideLogger(false);
  system = await FeedSystem.start();
}, 30_000);
afterAll(() => system?.stop());
beforeEach(() => {
  tenant = `t${randomUUID()}`;
});
afterEach(() => expect(system.lies).toEqual([]));

/** A store of a process that is killed at a step (`behind 2`: the second of that name): before what it asks for is done, or after that and before it knows. */
class DyingStore {
  /** How often each was taken. */
  readonly steps = new Map<string, number>();
  readonly died: Promise<void>;
  private die: () => void = () => undefined;
  private dead = false;
  private buried = false;
  private readonly stuck: ((error: Error) => void)[] = [];

  constructor(
    private readonly real: SearchFeedStore,
    private readonly at: string,
    private readonly when: 'before' | 'after',
  ) {
    this.died = new Promise((resolve) => (this.die = resolve));
  }

  get store(): SearchFeedStore {
    return new Proxy(this.real, {
      get: (target, name) => {
        const method = target[name as keyof SearchFeedStore] as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          if (this.dead) return this.silence();
          const nth = (this.steps.get(String(name)) ?? 0) + 1;
          this.steps.set(String(name), nth);
          const isLast = this.at === `${String(name)} ${nth}`;
          if (isLast && this.when === 'before') return this.silence();
          const answer = await method.apply(target, given);
          return isLast ? this.silence() : answer;
        };
      },
    });
  }

  /** Lets the remains of the worker end. */
  bury(): void {
    this.buried = true;
    for (const reject of this.stuck) reject(new Error('dead'));
  }

  private silence(): Promise<never> {
    this.dead = true;
    this.die();
    return new Promise((_resolve, reject) => (this.buried ? reject(new Error('dead')) : this.stuck.push(reject)));
  }
}

const found = (ids: readonly string[], of = tenant) =>
  eventually(
    () => ids.filter((id) => !system.search.document(of, id)?.document).length,
    (missing) => missing === 0,
  );
const claimed = async () => {
  const now = Date.now();
  await eventually(
    () => system.search.claims.at(-1) ?? 0,
    (throughMs) => throughMs > now,
  );
};
const end = async (worker: SearchFeedWorker, dying: DyingStore) => {
  const ended = system.end(worker);
  dying.bury();
  await ended;
};

const STEPS = ['lease 1', 'setAsideCount 1', 'clock 1', 'behind 1', 'events 1', 'emails 1', 'move 1', 'behind 2', 'keep 1', 'clock 2'];
test.each(STEPS.flatMap((step) => [[step, 'before'] as const, [step, 'after'] as const]))(
  'killed at %s, %s it is done: the next one goes on, and every mail is there once in its latest state',
  async (step, when) => {
    await system.expireLease();
    const ids = await system.accept(3, { tenant });
    const dying = new DyingStore(system.store, step, when);
    const first = system.feed(dying.store);
    await dying.died;
    await system.change(tenant, ids[0]!, 'sent');
    const late = await system.accept(2, { tenant });
    await system.expireLease();
    const second = system.feed();
    await found([...ids, ...late]);
    await claimed();
    expect(new Set(system.search.ids(tenant))).toEqual(new Set([...ids, ...late]));
    expect(system.search.document(tenant, ids[0]!)?.document?.attributes.status?.values).toEqual(['sent']);
    await end(first, dying);
    await system.end(second);
  },
);

test('the steps include all that a feed does', async () => {
  await system.expireLease();
  await system.accept(1, { tenant });
  const watched = new DyingStore(system.store, '', 'before');
  const worker = system.feed(watched.store);
  await claimed();
  const steps = new Set(watched.steps.keys());
  await end(worker, watched);
  expect(steps).toEqual(new Set(STEPS.map((step) => step.split(' ')[0])));
});

test('only one feeds; it gives the lease back when it is stopped, and the next goes on at once', async () => {
  await system.expireLease();
  const first = system.feed();
  await found(await system.accept(1, { tenant }));
  const { streams } = system.search;
  const second = system.feed();
  const leased = async () => (await system.database.query<{ worker: string }>('select worker from search_feed_state'))[0]?.worker;
  await found(await system.accept(1, { tenant }));
  expect([await leased(), system.search.streams]).toEqual([first.id, streams]);
  await system.end(first);
  await eventually(leased, (worker) => worker === second.id);
  await found(await system.accept(1, { tenant }));
  await system.end(second);
  expect(await leased()).toBeNull();
});

test('two that take the lease from each other all the time do no harm', async () => {
  const thief = () =>
    new Proxy(system.store, {
      get: (target, name) => {
        const method = target[name as keyof SearchFeedStore] as (...given: unknown[]) => Promise<unknown>;
        return async (...given: unknown[]) => {
          if (name === 'lease') await system.expireLease();
          return method.apply(target, given);
        };
      },
    });
  const workers = [system.feed(thief()), system.feed(thief())];
  const ids: string[] = [];
  for (let i = 0; i < 15; i++) {
    ids.push(...(await system.accept(40, { tenant })));
    await system.change(tenant, ids[i]!, 'deferred');
    await system.change(tenant, ids[i]!, 'sent');
  }
  await found(ids);
  await claimed();
  await eventually(
    () => ids.slice(0, 15).filter((id) => system.search.document(tenant, id)?.document?.attributes.status?.values[0] !== 'sent').length,
    (late) => late === 0,
  );
  expect(new Set(system.search.ids(tenant))).toEqual(new Set(ids));
  for (const worker of workers) await system.end(worker);
});

describe('with a feed of its own', () => {
  let worker: SearchFeedWorker;
  beforeEach(async () => {
    await system.expireLease();
    const ids = await system.accept(3, { tenant });
    worker = system.feed();
    await found(ids);
    await claimed();
    await system.end(worker);
  });
  afterEach(() => system.end(worker));
  const rebuilds = async () =>
    Number((await system.database.query<{ rebuilds: string }>('select rebuilds from search_feed_state'))[0]!.rebuilds);

  test('an index that is lost while nobody feeds is fed anew, and so is one restored from before', async () => {
    const ids = system.search.ids(tenant);
    const before = await rebuilds();
    const older = { documents: new Map(system.search.documents), checkpoint: system.search.checkpoint };
    system.search.lose();
    worker = system.feed();
    await found(ids);
    await claimed();
    expect(await rebuilds()).toBe(before + 1);
    const late = await system.accept(4, { tenant });
    await found(late);
    await claimed();
    await system.end(worker);
    system.search.lose();
    for (const [key, kept] of older.documents) system.search.documents.set(key, kept);
    system.search.checkpoint = older.checkpoint;
    worker = system.feed();
    await found(late);
    await claimed();
    expect(await rebuilds()).toBe(before + 2);
  });

  test('killed while everything is read again: it goes on, and does not begin anew', async () => {
    const ids = system.search.ids(tenant);
    const before = await rebuilds();
    system.search.lose();
    const dying = new DyingStore(system.store, 'move 1', 'after');
    const first = system.feed(dying.store);
    await dying.died;
    await system.expireLease();
    worker = system.feed();
    await found(ids);
    await claimed();
    expect(await rebuilds()).toBe(before + 1);
    await end(first, dying);
  });

  test('a tenant whose events are no longer kept is read as a whole, before anything is claimed', async () => {
    const ids = await system.accept(1100, { tenant });
    await system.database.query('delete from event where tenant = $1 and cursor < 900', [tenant]);
    const { claims } = system.search;
    const before = claims.length;
    worker = system.feed();
    await eventually(
      () => claims.length,
      (length) => length > before,
    );
    expect(ids.filter((id) => !system.search.document(tenant, id))).toEqual([]);
    const late = await system.accept(3, { tenant });
    await found(late);
  });

  test('events of a mail that never was are deletions', async () => {
    const ghost = randomUUID();
    await plantEvents(system.database, 2, { tenant, emailId: ghost });
    worker = system.feed();
    await eventually(
      () => system.search.document(tenant, `msg_${ghost}`),
      (kept) => kept !== undefined,
    );
    expect(system.search.document(tenant, `msg_${ghost}`)).toMatchObject({ document: undefined, version: 5000 + (await rebuilds()) });
  });

  test('5,000 tenants: each has its turn, whatever another one has', async () => {
    const many = await system.accept(3000, { tenant });
    const prefix = randomUUID();
    const others = Array.from({ length: 5000 }, (_, i) => `${prefix}-${i}`);
    await system.database.query(
      `with e as (
        insert into email select t, gen_random_uuid(), now(), 'a@b.c', 'a@b.c', '{d@e.f}', '{}', '{}', '{}', 's', 'b', '', '{}', '{}', null,
          now() + interval '1 day', null, 0 from unnest($1::text[]) t returning tenant, id
      ), c as (insert into tenant_counter select tenant, 1, 1 from e)
      insert into event select tenant, 1, gen_random_uuid(), 'email.queued', id, '', 'queued', '', now() from e`,
      [others],
    );
    const startedAt = system.search.taken.length;
    worker = system.feed();
    await claimed();
    const of = new Set([...system.search.documents.values()].map((kept) => kept.tenant));
    expect(others.filter((other) => !of.has(other))).toEqual([]);
    expect(system.search.taken.length - startedAt).toBeGreaterThanOrEqual(8000);
    expect(system.search.ids(tenant)).toHaveLength(many.length + 3);
    const [row] = await system.database.query<{ count: string }>('select count(*) from search_feed where tenant = any($1) and cursor = 1', [
      others,
    ]);
    expect(Number(row?.count)).toBe(5000);
  });
});
