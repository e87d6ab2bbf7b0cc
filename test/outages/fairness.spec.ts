import { freePort } from '../free-port';
import { eventually } from '../eventually';
import { TestRelay } from '../integration/test-relay';
import { TestSystem, token } from '../integration/test-system';

/** How long the relay thinks before it takes a mail, in ms. */
const THINKS = 30;
const THINKS_SLOWLY = 2500;
const CONNECTIONS = 4;

const large = token({ tenant: 'large' });
const small = token({ tenant: 'small' });

let system: TestSystem;
let relay: TestRelay;

beforeEach(async () => {
  relay = new TestRelay(await freePort(), {
    onRcptTo: ({ address }, _session, done) => void setTimeout(done, address.endsWith('@slow.example') ? THINKS_SLOWLY : THINKS),
  });
  await relay.start();
  system = await TestSystem.start({ MAIL_RELAY_CONNECTIONS: String(CONNECTIONS), DRAIN_SECONDS: '10' }, { relay });
});
afterEach(() => system?.stop());

const sendAs = async (by: string, body: object): Promise<string> => {
  const answer = await system.rest('POST', '/api/v1/mail/send', { body, token: by });
  expect(answer.status).toBe(202);
  return String(answer.body.message_id);
};
const flood = (count: number, body: object): Promise<string[]> => Promise.all(Array.from({ length: count }, () => sendAs(large, body)));
const delivered = (): string[] => relay.mails.map(({ messageId }) => messageId);
const until = (holds: (count: number) => boolean, withinMs?: number) => eventually(() => relay.mails.length, holds, withinMs);

/** How many mails pass one that is sent now, from being accepted to being delivered. */
async function passedBy(body: object): Promise<number> {
  const id = await sendAs(small, body);
  const before = relay.mails.length;
  const place = await eventually(
    () => delivered().indexOf(id),
    (index) => index >= 0,
  );
  return place - before;
}

test('a tenant with one mail at a time is not kept waiting by one with hundreds', async () => {
  await flood(400, { to: ['a@example.com'] });
  for (let i = 0; i < 5; i++) expect(await passedBy({ to: [`b${i}@example.com`] })).toBeLessThanOrEqual(3 * CONNECTIONS);
  expect(relay.mails.length).toBeLessThan(350);
}, 60_000);

test('hundreds scheduled for one moment hold nobody, neither before it nor after', async () => {
  // Later than all of them are accepted, also on a busy machine.
  const send_at = Math.floor(Date.now() / 1000) + 12;
  const scheduled = await flood(400, { to: ['a@example.com'], send_at });
  expect(await passedBy({ to: ['before@example.com'] })).toBe(0);
  await until((count) => count > CONNECTIONS, 25_000);
  expect(Date.now() / 1000).toBeGreaterThanOrEqual(send_at);
  for (let i = 0; i < 5; i++) expect(await passedBy({ to: [`b${i}@example.com`] })).toBeLessThanOrEqual(3 * CONNECTIONS);
  expect(delivered().filter((id) => scheduled.includes(id)).length).toBeLessThan(350);
}, 60_000);

test('a destination that is slow holds neither the other mails of its tenant nor other tenants', async () => {
  const slow = new Set(await flood(20, { to: ['a@slow.example'] }));
  const quick = await flood(40, { to: ['a@example.com'] });
  const others = await Promise.all(Array.from({ length: 5 }, (_, i) => sendAs(small, { to: [`b${i}@example.com`] })));
  const all = [...quick, ...others];
  await eventually(delivered, (ids) => all.every((id) => ids.includes(id)), 30_000);
  const slowOnes = delivered().filter((id) => slow.has(id)).length;
  // Those that were begun before it was known to be slow, and one or two after them.
  expect(slowOnes).toBeLessThanOrEqual(CONNECTIONS + 2);
  // They are not forgotten: their turn comes.
  await eventually(
    () => delivered().filter((id) => slow.has(id)).length,
    (count) => count > slowOnes + 1,
    20_000,
  );
}, 90_000);
