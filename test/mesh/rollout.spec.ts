import { eventually } from '../eventually';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { MeshSystem } from './mesh-system';
import { MixedLoad } from './mixed.load';
import { rollOut } from './rollout';

const CALLS_PER_SECOND = 300;

let databases: { mail: TestDatabase; search: TestDatabase };
let system: MeshSystem;

beforeAll(async () => {
  databases = { mail: await createDatabase(), search: await createDatabase() };
  system = await MeshSystem.start({ databases: { mail: databases.mail.url, search: databases.search.url }, edge: true });
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
    (size) => size > 50,
  );
  const restarts = await rollOut(system);
  await load.stop();
  const { counts, accepted, mailStreams, fileStreams } = load;
  const { calls, retriedCalls, retries } = counts;
  console.info({
    calls,
    retriedCalls,
    retries,
    mails: accepted.size,
    ...fileStreamsOf(fileStreams),
    retriedFor: [...counts.retriedFor],
    restarts,
  });
  expect(counts.failures).toEqual([]);
  expect(restarts.map(({ exitCode }) => exitCode)).toEqual(system.apps.map(() => 0));
  await expectEachOnce(accepted);
  const last = Number((await databases.mail.query<{ last: string }>('select max(cursor) as last from event'))[0]!.last);
  for (const cursors of [mailStreams.watched, mailStreams.told]) {
    // Not compared whole: to show how two lists of ten thousand differ takes jest minutes.
    expect(cursors.find((cursor, index) => cursor !== index + 1)).toBeUndefined();
    expect(cursors.length).toBeGreaterThan(last / 2);
  }
}, 240_000);

const fileStreamsOf = ({ uploads, downloads }: MixedLoad['fileStreams']) => ({ uploads, downloads });

/** In the database under the id that was told, and at the relay. */
async function expectEachOnce(accepted: ReadonlyMap<string, string>): Promise<void> {
  const rows = await databases.mail.query<{ id: string; subject: string }>("select 'msg_' || id as id, subject from email");
  const stored = new Map<string, string[]>();
  for (const { id, subject } of rows) stored.set(subject, [...(stored.get(subject) ?? []), id]);
  expect([...accepted].filter(([subject, id]) => String(stored.get(subject)) !== id)).toEqual([]);
  await eventually(
    () => system.relay.mails.length,
    (count) => count >= rows.length,
    60_000,
  );
  const delivered = new Map<string, number>();
  for (const { messageId } of system.relay.mails) delivered.set(messageId, (delivered.get(messageId) ?? 0) + 1);
  expect([...accepted.values()].filter((id) => delivered.get(id) !== 1)).toEqual([]);
}
