import type { OutgoingEmail } from './outgoing-email';
import { outgoing } from './outgoing-email.fixture';
import { Places } from './places';
import { SLOW_MS } from './slow-destinations';

const to = (address: string, tenant = 'acme') =>
  outgoing({ tenant, recipients: [{ position: 0, address, kind: 'to', attempts: 0, status: 'queued' }] });

let now = 0;
beforeEach(() => (now = 0));
const places = (size: number) => new Places(size, () => now);

test('a mail has its place until it leaves', () => {
  const all = places(2);
  const email = to('a@example.com');
  expect(all.take(email)).toBe(0);
  expect(all.free).toBe(1);
  all.leave(email);
  all.leave(email);
  expect(all.free).toBe(2);
});

test.each([
  [10, 7],
  [4, 3],
  [1, 1],
])('of %i places one tenant may hold %i', (size, each) => {
  expect(places(size).perTenant).toBe(each);
});

test('slow mails do not count against their tenant: it goes on with what is left', () => {
  const all = places(4);
  all.take(to('a@slow.test'));
  expect(all.tenantsHolding).toEqual(['acme']);
  now += SLOW_MS;
  all.take(to('a@fast.test', 'other'));
  expect(all.tenantsHolding).toEqual(['other']);
});

test('a destination that is slow gets a quarter of the places; what it has too many is put off, and takes none', () => {
  const all = places(8);
  for (let n = 0; n < 6; n++) all.take(to(`${n}@slow.test`));
  now += SLOW_MS;
  expect(all.take(to('late@slow.test'))).toBeGreaterThan(0);
  expect(all.free).toBe(2);
  expect(all.take(to('a@fast.test'))).toBe(0);
});

test('what is held too long is told, the oldest by name', () => {
  const all = places(4);
  const emails = ['released', 'first', 'second'].map((id) => ({ ...to(`a@${id}.test`), id }));
  for (const email of emails) {
    all.take(email);
    now += 1000;
  }
  all.leave(emails[0] as OutgoingEmail);
  expect(all.heldLongerThan(2)).toBeUndefined();
  now = 3500;
  expect(all.heldLongerThan(2)).toEqual({ count: 1, oldestId: 'first', oldestSeconds: 2.5 });
  expect(all.heldLongerThan(1)).toEqual({ count: 2, oldestId: 'first', oldestSeconds: 2.5 });
});
