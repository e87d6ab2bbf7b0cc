import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Logger } from '@nestjs/common';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc';
import { eventually } from '../eventually';
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
  system.search.taken.length = 0;
});
afterEach(async () => {
  system.search.refuse = () => undefined;
  expect(system.lies).toEqual([]);
});

const found = (ids: readonly string[], of = tenant) =>
  eventually(
    () => ids.filter((id) => !system.search.document(of, id)?.document).length,
    (missing) => missing === 0,
  );
const attribute = (id: string, name: string) => system.search.document(tenant, id)?.document?.attributes[name]?.values;
const claimed = async () => {
  const now = Date.now();
  await eventually(
    () => system.search.claims.at(-1) ?? 0,
    (throughMs) => throughMs > now,
  );
};

describe('a feed', () => {
  let worker: ReturnType<FeedSystem['feed']>;
  beforeAll(() => {
    worker = system.feed();
  });
  afterAll(() => system.end(worker));

  test('tells search of a mail with all that it is found by', async () => {
    const [id = ''] = await system.accept(1, {
      tenant,
      subject: 'Grüße',
      body: '',
      htmlBody: '<style>p { color: red }</style><p title="no">Hello <b>wor</b>ld &amp; all</p>',
      cc: ['Carl <carl@example.com>'],
      bcc: ['dora@example.com'],
      metadata: { order: '17', 'a key': 'b' },
      attachments: [{ filename: 'a.pdf', contentType: 'application/pdf', contentId: '', content: Buffer.alloc(1000) }],
      sendAt: new Date(Date.now() + 600_000),
    });
    await found([id]);
    const { document, version } = system.search.document(tenant, id)!;
    expect(document).toMatchObject({ id, title: 'Grüße', content: 'Hello world & all', url: `/api/v1/mail/${id}` });
    expect(version).toBe(1000 + Number(await rebuilds()));
    expect(Math.abs(Number(document?.timestamp) - Date.now() / 1000)).toBeLessThan(60);
    expect(Object.fromEntries(Object.entries(document!.attributes).map(([name, { values }]) => [name, values]))).toEqual({
      from: ['Ann <ann@example.com>'],
      to: ['bob@example.com'],
      cc: ['Carl <carl@example.com>'],
      bcc: ['dora@example.com'],
      status: ['scheduled'],
      has_attachment: ['true'],
      filename: ['a.pdf'],
      size: [String(Buffer.byteLength('<style>p { color: red }</style><p title="no">Hello <b>wor</b>ld &amp; all</p>') + 1000)],
      'metadata.order': ['17'],
      'metadata.a_key': ['b'],
    });
  });

  test('follows the status of a mail and its end, each at a higher version', async () => {
    const [id = ''] = await system.accept(1, { tenant });
    await found([id]);
    expect(attribute(id, 'status')).toEqual(['queued']);
    const versions = [system.search.document(tenant, id)!.version];
    for (const status of ['deferred', 'sent', 'bounced']) {
      await system.change(tenant, id, status);
      await eventually(
        () => attribute(id, 'status'),
        (values) => values?.[0] === status,
      );
      versions.push(system.search.document(tenant, id)!.version);
    }
    await system.remove(tenant, id);
    await eventually(
      () => system.search.document(tenant, id),
      (kept) => kept?.document === undefined,
    );
    versions.push(system.search.document(tenant, id)!.version);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  });

  test('claims what is fed, and with nothing new the time that passes', async () => {
    const ids = await system.accept(700, { tenant });
    await claimed();
    expect(new Set(system.search.ids(tenant))).toEqual(new Set(ids));
    expect(system.search.taken).toHaveLength(700);
    const { claims } = system.search;
    const before = claims.length;
    await eventually(
      () => claims.length,
      (length) => length >= before + 2,
    );
    expect(claims.at(-1)! - claims.at(-2)!).toBeGreaterThan(900);
    expect(system.search.taken).toHaveLength(700);
  });

  test('large mails come in messages of a bounded size, cut where search takes no more', async () => {
    const body = 'ä'.repeat(1024 * 1024);
    const ids = await system.accept(6, { tenant, body });
    const small = await system.accept(3000, { tenant, body: 'x'.repeat(2000) });
    await found([...ids, ...small]);
    const { content } = system.search.document(tenant, ids[0]!)!.document!;
    expect([Buffer.byteLength(content), content]).toEqual([1024 * 1024, 'ä'.repeat(512 * 1024)]);
    expect(system.search.largestMessage).toBeLessThan(2 * 1024 * 1024);
  });

  test('what search refuses is set aside with its error, and the others go on; a later success takes it back', async () => {
    const [bad = '', failing = ''] = await system.accept(2, { tenant });
    await found([bad, failing]);
    let tries = 0;
    system.search.refuse = (id) => {
      if (id === bad) return new InvalidArgumentError([{ field: 'document.title', description: 'must be short' }]);
      if (id !== failing) return undefined;
      tries++;
      return new RuleError('INTERNAL');
    };
    await system.change(tenant, bad, 'sent');
    await system.change(tenant, failing, 'sent');
    const others = await system.accept(5, { tenant });
    await found(others);
    await claimed();
    expect(tries).toBe(3);
    const failures = () =>
      system.database.query<{ id: string; error: string }>(
        `select 'msg_' || email_id as id, error from search_feed_failure where tenant = $1 order by error`,
        [tenant],
      );
    expect(await failures()).toEqual([
      { id: failing, error: expect.stringMatching(/^INTERNAL /) },
      { id: bad, error: 'INVALID_ARGUMENT document.title: must be short' },
    ]);
    expect(attribute(bad, 'status')).toEqual(['queued']);
    system.search.refuse = () => undefined;
    await system.change(tenant, bad, 'delivered');
    await eventually(
      () => failures(),
      (left) => left.length === 1,
    );
    expect(attribute(bad, 'status')).toEqual(['delivered']);
  });

  test('while search has no room, everything waits and nothing is set aside', async () => {
    let refused = 0;
    system.search.refuse = () => (refused++ < 3 ? new RuleError('SEARCH_UNAVAILABLE') : undefined);
    const ids = await system.accept(3, { tenant });
    await found(ids);
    expect(refused).toBeGreaterThan(3);
    expect(await system.database.query('select * from search_feed_failure where tenant = $1', [tenant])).toEqual([]);
  });

  test.each(['before taking', 'before answering'] as const)('goes on after a stream that was cut %s', async (cut) => {
    system.search.cutNext(cut, cut);
    const ids = await system.accept(600, { tenant });
    await found(ids);
    await claimed();
    expect(new Set(system.search.ids(tenant))).toEqual(new Set(ids));
  });

  test('search is away for a while', async () => {
    system.search.stop();
    const ids = await system.accept(10, { tenant });
    await system.search.start();
    await found(ids);
  });

  test('an index that was emptied while search runs is fed anew', async () => {
    const ids = await system.accept(30, { tenant });
    await found(ids);
    await claimed();
    const before = Number(await rebuilds());
    system.search.lose();
    await found(ids);
    expect(Number(await rebuilds())).toBe(before + 1);
    await claimed();
    expect(system.search.document(tenant, ids[0]!)!.version % 1000).toBe(before + 1);
  });

  test('and so is one that is emptied between two claims, under steady sending', async () => {
    const ids = await system.accept(30, { tenant });
    await found(ids);
    await claimed();
    const before = Number(await rebuilds());
    for (let i = 0; i < 5; i++) {
      await system.accept(1, { tenant });
      await claimed();
    }
    system.search.lose();
    // The next claim comes with it, sooner than one that goes alone.
    await system.accept(1, { tenant });
    await found(ids);
    expect(Number(await rebuilds())).toBe(before + 1);
  });

  test('a rebuild reads everything again while mails arrive', async () => {
    const ids = await system.accept(1200, { tenant });
    await found(ids);
    const number = await system.store.rebuild();
    const late: string[] = [];
    for (let i = 0; i < 10; i++) late.push(...(await system.accept(20, { tenant })));
    await eventually(
      () => system.search.checkpoint,
      (checkpoint) => checkpoint.startsWith(`${number}:`),
    );
    await found(late);
    for (const id of ids) expect(system.search.document(tenant, id)!.version % 1000).toBe(number);
    const [row] = await system.database.query<{ walked: string }>('select walked from search_feed where tenant = $1', [tenant]);
    expect(Number(row?.walked)).toBeGreaterThanOrEqual(1200);
  });

  test('the command for a rebuild tells how far it has come, and ends when all is found', async () => {
    const ids = await system.accept(50, { tenant });
    await found(ids);
    const before = Number(await rebuilds());
    const command = (...options: string[]) =>
      promisify(execFile)(process.execPath, [REBUILD, ...options], { env: { DATABASE_URL: system.database.url } });
    const { stdout } = await command();
    expect(stdout).toContain(`rebuild ${before + 1} is asked for`);
    expect(stdout).toMatch(/100% \| \d+ of about \d+ mails \| 0 tenants left/);
    expect(stdout).toMatch(/done: \d+ mails can be found/);
    for (const id of ids) expect(system.search.document(tenant, id)!.version % 1000).toBe(before + 1);
    expect((await command('--no-wait')).stdout).not.toContain('mails |');
    expect(Number(await rebuilds())).toBe(before + 2);
  });

  test('a tenant with much leaves time for one with little', async () => {
    system.search.answersAfterMs = 20;
    const many = await system.accept(8000, { tenant });
    const small = `t${randomUUID()}`;
    const few = await system.accept(3, { tenant: small });
    await found(few, small);
    expect(system.search.ids(tenant).length).toBeLessThan(6000);
    system.search.answersAfterMs = 0;
    await found(many);
  });
});

const REBUILD = join(__dirname, '..', '..', 'apps', 'mail', 'dist', 'search-rebuild.js');
const rebuilds = async () => (await system.database.query<{ rebuilds: string }>('select rebuilds from search_feed_state'))[0]!.rebuilds;
