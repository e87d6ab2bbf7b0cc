import { Logger } from '@nestjs/common';
import { register } from 'prom-client';
import type { DoubtPage } from './doubt-walk';
import { outgoing } from './outgoing-email.fixture';
import type { Overdue } from './overdue';
import type { DueLook, OverdueStore } from './overdue.store';
import { OverdueWorker } from './overdue.worker';
import { Places } from './places';
import { stateAges } from './state-ages';

const LOOK_MS = 15_000;
const ID = '0190a0b0-0000-7000-8000-000000000001';
const ages = stateAges({
  MAIL_OVERDUE_SECONDS: 60,
  MAIL_UNCERTAIN_OVERDUE_SECONDS: 86_400,
  MAIL_RELAY_TIMEOUT_SECONDS: 1,
  relays: 1,
});
const overdue = (count: number): Overdue => ({ count, oldestId: ID, oldestSeconds: 61.4 });

let due: () => Promise<DueLook>;
let doubts: DoubtPage;
let worker: OverdueWorker;
const places = new Places(4);
const hanging = outgoing({ id: ID });
const lines: [level: string, said: string, states: unknown][] = [];

const nothing = (): Promise<DueLook> => Promise.resolve({ oldestDueSeconds: 0, overdue: [] });
const queued = (count: number) => (): Promise<DueLook> =>
  Promise.resolve({ oldestDueSeconds: 61.4, overdue: [['queued', overdue(count)]] });
const next = (looks = 1) => jest.advanceTimersByTimeAsync(looks * LOOK_MS);
const gauges = async () => {
  const all = await register.getMetricsAsJSON();
  const values = (name: string) => all.find((metric) => metric.name === name)?.values ?? [];
  return {
    overdue: Object.fromEntries(values('mail_overdue').map(({ labels, value }) => [labels['state'], value])),
    oldest: values('mail_oldest_due_seconds')[0]?.value,
    jobs: Object.fromEntries(values('mail_jobs').map(({ labels, value }) => [labels['state'], value])),
  };
};
const NONE = { queued: 0, scheduled: 0, deferred: 0, sending: 0, hanging: 0, uncertain: 0 };

beforeEach(() => {
  jest.useFakeTimers();
  lines.length = 0;
  for (const level of ['error', 'warn', 'log'] as const) {
    jest
      .spyOn(Logger.prototype, level)
      .mockImplementation(
        (...told: unknown[]) => void lines.push([level, String(told.at(-1)), (told[0] as { overdue?: unknown }).overdue]),
      );
  }
  due = nothing;
  doubts = { overdue: undefined, next: undefined };
  const store: Pick<OverdueStore, 'due' | 'doubts' | 'jobs'> = {
    due: () => due(),
    doubts: () => Promise.resolve(doubts),
    jobs: () => Promise.resolve(new Map([['due', 3]] as const)),
  };
  worker = new OverdueWorker(store as OverdueStore, places, ages);
  worker.onApplicationBootstrap();
});
afterEach(() => {
  worker.onModuleDestroy();
  jest.useRealTimers();
  jest.restoreAllMocks();
});

test('nothing overdue: gauges at zero, and no line', async () => {
  await next();
  expect(await gauges()).toEqual({ overdue: NONE, oldest: 0, jobs: { due: 3, held: 0, later: 0 } });
  expect(lines).toEqual([]);
});

test('overdue: an error line at once and then once a minute, an info line when it is over', async () => {
  due = queued(2);
  await next(4);
  expect(await gauges()).toMatchObject({ overdue: { ...NONE, queued: 2 }, oldest: 61.4 });
  const told = (count: number) => ({
    queued: { count, oldest: `msg_${ID}`, oldest_seconds: 61, why: 'due, and no worker claims it' },
  });
  expect(lines).toEqual([['error', 'mails are overdue', told(2)]]);
  due = queued(5);
  await next();
  expect(lines.slice(1)).toEqual([['error', 'mails are overdue', told(5)]]);
  due = nothing;
  await next(2);
  expect(lines.slice(2)).toEqual([['log', 'nothing is overdue any more', undefined]]);
  expect((await gauges()).overdue).toEqual(NONE);
  due = queued(1);
  await next();
  expect(lines.slice(3)).toEqual([['error', 'mails are overdue', told(1)]]);
});

test('a hand-over that this process holds too long, and doubts that nobody resolves, are told too', async () => {
  places.take(hanging);
  doubts = { overdue: overdue(7), next: undefined };
  await next();
  expect((await gauges()).overdue).toEqual({ ...NONE, uncertain: 7 });
  await next(Math.ceil((ages.hanging.seconds * 1000) / LOOK_MS));
  expect((await gauges()).overdue).toEqual({ ...NONE, uncertain: 7, hanging: 1 });
  await next(4);
  expect(lines.at(-1)).toEqual([
    'error',
    'mails are overdue',
    expect.objectContaining({ hanging: expect.objectContaining({ count: 1 }) as object }),
  ]);
  places.leave(hanging);
  await next();
  expect((await gauges()).overdue).toEqual({ ...NONE, uncertain: 7 });
});

test('what cannot be looked for is not shown as it was before', async () => {
  due = queued(2);
  await next();
  due = () => Promise.reject(new Error('the database is away'));
  await next();
  expect(await gauges()).toEqual({ overdue: {}, oldest: NaN, jobs: {} });
  expect(lines.at(-1)?.[0]).toBe('warn');
  due = nothing;
  await next();
  expect(await gauges()).toMatchObject({ overdue: NONE, oldest: 0 });
});

test('a database that is slow is asked once at a time', async () => {
  let asked = 0;
  due = () => new Promise(() => asked++);
  await next(3);
  expect(asked).toBe(1);
});
