import { Logger } from '@nestjs/common';
import { eventually } from '../../../../test/eventually';
import { FakeEngine } from '../documents/engine.fixture';
import { IndexedThrough } from '../documents/indexed-through';
import { indexLagSeconds } from '../documents/search.metrics';
import { EngineUnavailableError } from '../engines/search.engine';
import { EngineMonitor } from './engine.monitor';
import { PreparedEngine } from './prepared.engine';

let engine: FakeEngine;
let prepared: PreparedEngine;
let serving: boolean[];
let mailServing: () => Promise<boolean>;
let monitor: EngineMonitor;
let errors: jest.SpyInstance;
beforeEach(() => {
  errors = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
  jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  engine = new FakeEngine();
  prepared = new PreparedEngine(engine);
  serving = [];
  mailServing = () => Promise.resolve(true);
  const server = { setServing: (is: boolean) => void serving.push(is) };
  monitor = new EngineMonitor(prepared, new IndexedThrough(prepared), { isServing: () => mailServing() }, server);
});
afterEach(() => {
  monitor.stop();
  jest.restoreAllMocks();
});

test('until it is prepared an engine is away, whatever it would answer', async () => {
  await expect(prepared.checkpoints()).rejects.toThrow(EngineUnavailableError);
  await expect(prepared.write([])).rejects.toThrow(EngineUnavailableError);
  expect(prepared.isUp).toBe(false);
  await monitor.start();
  await expect(prepared.checkpoints()).resolves.toEqual([]);
  expect(prepared.isUp).toBe(true);
});

test('an engine that is away at the start is prepared once it is there, and not again', async () => {
  engine.away = true;
  await monitor.start();
  expect(monitor.ready().details).toEqual({ engine: 'down', mail: 'up' });
  expect(serving.at(-1)).toBe(true);
  engine.away = false;
  await eventually(
    () => monitor.ready().details?.['engine'],
    (state) => state === 'up',
  );
  engine.away = true;
  await eventually(
    () => monitor.ready().details?.['engine'],
    (state) => state === 'down',
  );
  engine.away = false;
  await eventually(
    () => monitor.ready().details?.['engine'],
    (state) => state === 'up',
  );
  expect(engine.prepared).toBe(1);
});

test('with nothing to answer from it does not serve', async () => {
  engine.away = true;
  mailServing = () => Promise.reject(new Error('away'));
  await monitor.start();
  expect(monitor.ready().details).toEqual({ engine: 'down', mail: 'down' });
  expect(monitor.ready().isUp).toBe(false);
  expect(serving).toEqual([false]);
});

test('an engine that will not be prepared is told of once, with its reason', async () => {
  let prepares = 0;
  engine.prepare = () => {
    prepares++;
    return Promise.reject(new Error('its version is 7'));
  };
  await monitor.start();
  await eventually(
    () => prepares,
    (count) => count >= 2,
  );
  const told = errors.mock.calls.filter(([first]) => (first as { err?: Error }).err?.message === 'its version is 7');
  expect(told).toHaveLength(1);
});

test('the lag is that of the feed that is furthest behind, and no number where there is none', async () => {
  const lag = async () => (await indexLagSeconds.get()).values[0]?.value;
  await monitor.start();
  expect(await lag()).toBeNaN();
  await prepared.saveCheckpoint({ source: 'mail', checkpoint: 'c', throughMs: Date.now() - 60_000 });
  const known = await eventually(lag, (value) => !Number.isNaN(value));
  expect(known).toBeGreaterThan(59);
  expect(known).toBeLessThan(90);
});
