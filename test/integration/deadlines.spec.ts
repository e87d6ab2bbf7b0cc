import { once } from 'node:events';
import { request } from 'node:http';
import { type Client as GrpcClient, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { Client } from 'pg';
import { eventually } from '../eventually';
import { SearchServiceSystem } from './search-service-system';
import type { TestDatabase } from './test-database';
import { embeddedSearch } from './test-search';
import { TestSystem, token } from './test-system';

/** How long a query may go on in PostgreSQL that nobody waits for. */
const GONE_MS = 500;

/** A database that is slow: whatever touches the table waits, as its statements then do. */
class SlowTable {
  private constructor(
    private readonly table: string,
    private readonly locker: Client,
    /** In a transaction the same activity is told again and again. */
    private readonly watcher: Client,
  ) {}

  static async of(database: TestDatabase, table: string): Promise<SlowTable> {
    const clients = [new Client(database.url), new Client(database.url)] as const;
    await Promise.all(clients.map((client) => client.connect()));
    return new SlowTable(table, ...clients);
  }

  async lock(): Promise<void> {
    await this.locker.query(`begin; lock table ${this.table} in access exclusive mode`);
  }

  async unlock(): Promise<void> {
    await this.locker.query('rollback');
  }

  /** How many statements wait for it that have this in their text. */
  async waiting(text: string): Promise<number> {
    const activity = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like $1`;
    return (await this.watcher.query(activity, [`%${text}%`])).rowCount ?? 0;
  }

  isWaiting(text: string, queries = 1): Promise<number> {
    return eventually(
      () => this.waiting(text),
      (n) => n === queries,
    );
  }

  isGone(text: string): Promise<number> {
    return eventually(
      () => this.waiting(text),
      (n) => n === 0,
      GONE_MS,
    );
  }

  async end(): Promise<void> {
    await Promise.all([this.locker.end(), this.watcher.end()]);
  }
}

/** In the text of the statement that lists mails, of the one that accepts them, and of a search. */
const LISTING = 'as snippet';
const ACCEPTING = 'with given as';
const SEARCHING = 'document';

async function timed<T>(work: Promise<T>): Promise<{ answer: T; ms: number }> {
  const began = performance.now();
  return { answer: await work, ms: performance.now() - began };
}

describe('mail', () => {
  let system: TestSystem;
  let slow: SlowTable;
  let mail: GrpcClient;

  beforeAll(async () => {
    system = await TestSystem.start();
    slow = await SlowTable.of(system.database, 'email');
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: new (address: string, secure: unknown) => GrpcClient };
    };
    mail = new contract.MailService(system.grpcUrl, credentials.createInsecure());
  }, 60_000);
  afterAll(async () => {
    mail?.close();
    await slow?.end();
    await system?.stop();
  });
  afterEach(() => slow.unlock());

  /** A call that can be left, as it is on the wire. */
  function call(method: string, message: object, deadline = Date.now() + 20_000) {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${token()}`);
    const { promise: ended, resolve } = Promise.withResolvers<ServiceError | null>();
    const invoke = (mail as unknown as Record<string, (...args: unknown[]) => { cancel(): void }>)[method]!;
    const { cancel } = bound(invoke.call(mail, message, metadata, { deadline }, resolve));
    return { ended, cancel };
  }
  const bound = (of: { cancel(): void }) => ({ cancel: () => of.cancel() });
  const submission = (subject: string) => ({
    email: { from: 'sender@example.com', to: ['to@example.com'], subject, body: 'text' },
    idempotencyKey: '',
    requestRef: '',
  });

  test('a client with 100 ms before a slow database: told at 100 ms, and the query is gone', async () => {
    // It connects, and what it runs is compiled.
    await system.grpc('listEmails', {});
    await slow.lock();
    const { answer, ms } = await timed(system.grpcError('listEmails', {}, { timeoutMs: 100 }));
    expect(answer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(ms).toBeGreaterThan(90);
    expect(ms).toBeLessThan(400);
    await slow.isGone(LISTING);
  });

  test('a client that leaves: the query is gone', async () => {
    await slow.lock();
    const { ended, cancel } = call('listEmails', {});
    await slow.isWaiting(LISTING);
    cancel();
    expect((await ended)?.code).toBe(1);
    await slow.isGone(LISTING);
  });

  test('a REST client that leaves: the query is gone', async () => {
    await slow.lock();
    const leaving = request(`${system.url}/api/v1/mail`, { headers: { authorization: `Bearer ${token()}` } }).end();
    leaving.on('error', () => undefined);
    await slow.isWaiting(LISTING);
    leaving.destroy();
    await slow.isGone(LISTING);
  });

  test('a REST client with 100 ms: told at 100 ms which hop had how long, and the query is gone', async () => {
    await slow.lock();
    const { answer, ms } = await timed(system.rest('GET', '/api/v1/mail', { headers: { 'request-timeout': '0.1' } }));
    const detail = expect.stringMatching(/^MailService\/ListEmails: no answer within (9\d|100) ms$/) as string;
    expect(answer).toMatchObject({ status: 504, body: { code: 'DEADLINE_EXCEEDED', detail } });
    expect(ms).toBeLessThan(400);
    await slow.isGone(LISTING);
  });

  test('many that leave at once: all their queries are gone, and the connections serve the next', async () => {
    await slow.lock();
    const calls = Array.from({ length: 40 }, () => call('listEmails', {}));
    await eventually(
      () => slow.waiting(LISTING),
      (n) => n >= 8,
    );
    for (const { cancel } of calls) cancel();
    await Promise.all(calls.map(({ ended }) => ended));
    await slow.isGone(LISTING);
    await slow.unlock();
    await Promise.all(Array.from({ length: 40 }, () => system.grpc('listEmails', {})));
  });

  test('a batch of mails goes on when the caller leaves who began it: none of the others fails, and none is lost', async () => {
    await slow.lock();
    const began = call('submitEmail', submission('began'));
    await slow.isWaiting(ACCEPTING, 1);
    const second = call('submitEmail', submission('second'));
    await slow.isWaiting(ACCEPTING, 2);
    // These wait for their batch, which begins when one of the two is done.
    const others = ['third', 'fourth'].map((subject) => call('submitEmail', submission(subject)));
    began.cancel();
    expect((await began.ended)?.code).toBe(1);
    for (const end = Date.now() + GONE_MS; Date.now() < end;) expect(await slow.waiting(ACCEPTING)).toBe(2);
    await slow.unlock();
    expect(await Promise.all([second, ...others].map(({ ended }) => ended))).toEqual([null, null, null]);
    // Nobody waits for the first any more.
    const stored = await eventually(
      () => system.database.query<{ subject: string }>('select subject from email order by subject'),
      (rows) => rows.length === 4,
    );
    expect(stored.map(({ subject }) => subject)).toEqual(['began', 'fourth', 'second', 'third']);
  });
});

describe('search', () => {
  test('on PostgreSQL, with 300 ms: told in time, and its queries are gone, also when a REST client leaves', async () => {
    const system = await TestSystem.start({}, { search: embeddedSearch() });
    const slow = await SlowTable.of(system.search.database, 'document');
    try {
      await system.grpc('search', { query: 'word' }, { service: 'search' });
      await slow.lock();
      const { answer, ms } = await timed(system.grpcError('search', { query: 'word' }, { service: 'search', timeoutMs: 300 }));
      expect(answer).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
      expect(ms).toBeLessThan(600);
      await slow.isGone(SEARCHING);
      const leaving = request(`${system.url}/api/v1/search?q=word`, { headers: { authorization: `Bearer ${token()}` } }).end();
      leaving.on('error', () => undefined);
      await eventually(
        () => slow.waiting(SEARCHING),
        (n) => n > 0,
      );
      leaving.destroy();
      await slow.isGone(SEARCHING);
    } finally {
      await slow.end();
      await system.stop();
    }
  }, 60_000);

  test('that asks mail instead gives it what is left of the caller’s time, less its own share', async () => {
    const system = await SearchServiceSystem.make();
    try {
      system.engine.away = true;
      await system.start();
      const found = {
        id: 'msg_1',
        from: 'a@example.com',
        to: [],
        subject: 'Hello',
        snippet: '',
        timestamp: '1',
        attachmentCount: 0,
        status: 'sent',
      };
      system.mail.listEmails = () => ({ emails: [found] });
      await system.client.search({ query: 'subject:hello' }, { timeoutMs: 2000 });
      const left = system.mail.last.deadline.getTime() - Date.now();
      expect(left).toBeGreaterThan(500);
      expect(left).toBeLessThanOrEqual(1950);
      // One that does not answer leaves time to say so.
      system.mail.listEmails = () => once(new EventTarget(), 'never') as never;
      const late = system.client.refusal(system.client.search({ query: 'subject:hello' }, { timeoutMs: 400 }));
      const { answer, ms } = await timed(late);
      expect(answer).toMatchObject({ reason: 'SEARCH_UNAVAILABLE' });
      expect(ms).toBeLessThan(400);
    } finally {
      await system.stop();
    }
  });
});
