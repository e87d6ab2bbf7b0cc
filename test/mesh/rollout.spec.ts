import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { lossesOf, STORED_MAILS, type StoredMail } from './mesh-state';
import { MeshSystem } from './mesh-system';
import { MixedLoad } from './mixed.load';
import { rollOut } from './rollout';

/** More of both, and again and again: `npm run proof -- rollout`. */
const CALLS_PER_SECOND = 100;
const INSTANCES = { mails: 2, searches: 2, gateways: 2 };

let databases: { mail: TestDatabase; search: TestDatabase };
let system: MeshSystem;

beforeAll(async () => {
  databases = { mail: await createDatabase(), search: await createDatabase() };
  system = await MeshSystem.start({ databases: { mail: databases.mail.url, search: databases.search.url }, ...INSTANCES, edge: true });
}, 120_000);
afterAll(async () => {
  await system?.stop();
  await Promise.all([databases.mail.drop(), databases.search.drop()]);
});

test('all instances are replaced one after the other under load: no call fails, no mail is lost, no event is missed', async () => {
  const load = new MixedLoad(system, CALLS_PER_SECOND);
  load.start();
  await eventually(
    () => load.accepted.size,
    (size) => size > 20,
  );
  const restarts = await rollOut(system);
  await load.stop();
  const { calls, retriedCalls, failures } = load.counts;
  console.info(`${calls} calls, ${failures.length} failed, ${retriedCalls} tried again; ${load.accepted.size} mails`, restarts);
  expect(failures).toEqual([]);
  expect(restarts.map(({ exitCode }) => exitCode)).toEqual(system.apps.map(() => 0));
  const stored = await databases.mail.query<StoredMail>(STORED_MAILS);
  await eventually(
    () => system.relay.mails.length,
    (count) => count >= stored.length,
    60_000,
  );
  expect(lossesOf(load, system, stored)).toEqual({ notStoredOnce: [], notDeliveredOnce: [], gaps: [] });
  expect(load.mailStreams.watched.length).toBeGreaterThan(load.accepted.size);
  expect(load.mailStreams.told.length).toBeGreaterThan(load.accepted.size);
}, 240_000);
