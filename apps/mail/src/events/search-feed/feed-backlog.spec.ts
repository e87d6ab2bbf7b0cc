import { FeedBacklog, type TenantPlace, TENANTS_ASKED } from './feed-backlog';

const place = (tenant: string, cursor: number, last: number, walkAfter: string | null = null): TenantPlace => {
  return { tenant, cursor, last, walkAfter };
};
const names = (places: readonly TenantPlace[]) => places.map(({ tenant }) => tenant);
let backlog: FeedBacklog;
beforeEach(() => {
  backlog = new FeedBacklog();
});

test('with nothing to feed the clock is claimed, once', () => {
  backlog.clock(1000);
  expect(backlog.takeClaim()).toBeUndefined();
  expect(backlog.found([])).toBe(false);
  expect([backlog.takeClaim(), backlog.takeClaim()]).toEqual([1000, undefined]);
});

test('a claim waits for all that was seen after its clock, and for nothing that came later', () => {
  backlog.clock(1000);
  backlog.found([place('a', 0, 5), place('b', 0, 1)]);
  backlog.moved(place('b', 1, 1));
  expect(backlog.takeClaim()).toBeUndefined();
  backlog.clock(2000);
  backlog.found([place('a', 3, 9), place('c', 0, 1)]);
  backlog.moved(place('a', 5, 9));
  expect(backlog.takeClaim()).toBe(1000);
  expect(backlog.eventsBehind).toBe(5);
});

test('a claim waits until all tenants have been asked for, however many pages that takes', () => {
  const page = Array.from({ length: TENANTS_ASKED }, (_, i) => place(`a${String(i).padStart(5, '0')}`, 0, 1));
  backlog.clock(1000);
  expect(backlog.found(page)).toBe(true);
  expect(backlog.place).toBe(page.at(-1)?.tenant);
  for (const { tenant } of page) backlog.moved(place(tenant, 1, 1));
  // The first pages were seen before this clock.
  backlog.clock(2000);
  expect(backlog.takeClaim()).toBeUndefined();
  backlog.found([place('b', 0, 1)]);
  expect(backlog.takeClaim()).toBeUndefined();
  backlog.moved(place('b', 1, 1));
  expect([backlog.takeClaim(), backlog.place]).toEqual([1000, '']);
});

test('a tenant that is read as a whole is not through before its walk ends', () => {
  backlog.clock(1000);
  backlog.found([place('a', 5, 5, 'x')]);
  expect(backlog.walking).toBe(1);
  backlog.moved(place('a', 5, 5, 'y'));
  expect([backlog.takeClaim(), names(backlog.next(9))]).toEqual([undefined, ['a']]);
  backlog.moved(place('a', 5, 5));
  expect([backlog.takeClaim(), backlog.isEmpty, backlog.walking]).toEqual([1000, true, 0]);
});

test('tenants have their turn one after the other; who has more waits behind all others', () => {
  backlog.clock(1);
  backlog.found([place('a', 0, 9), place('b', 0, 1), place('c', 0, 1)]);
  expect(names(backlog.next(2))).toEqual(['a', 'b']);
  backlog.moved(place('a', 4, 9));
  backlog.moved(place('b', 1, 1));
  backlog.found([place('a', 4, 20), place('d', 0, 1)]);
  expect(names(backlog.next(9))).toEqual(['c', 'a', 'd']);
});

test('who waits is bounded', () => {
  for (let page = 0; page < 10; page++) {
    expect(backlog.isFull).toBe(false);
    backlog.found(Array.from({ length: TENANTS_ASKED }, (_, i) => place(`${page}-${i}`, 0, 1)));
  }
  expect(backlog.isFull).toBe(true);
});
