import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { ServiceTokens } from '@sky-genesis/auth';
import { readConfig } from '@sky-genesis/config';
import { DatabaseClient, dataSourceOptions, runMigrations } from '@sky-genesis/database';
import { grpcClientSettings, grpcSettings, Mesh, meshSettings, ServiceClients } from '@sky-genesis/grpc';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { AcceptStore } from '../../apps/mail/src/emails/accept.store';
import { formatEmailId } from '../../apps/mail/src/emails/email-id';
import type { NewEmail } from '../../apps/mail/src/emails/new-email';
import { SearchFeedStore } from '../../apps/mail/src/events/search-feed/search-feed.store';
import { SearchFeedWorker } from '../../apps/mail/src/events/search-feed/search-feed.worker';
import { freePort } from '../free-port';
import { FakeSearchService } from './search-feed-fake.service';
import { createDatabase, type TestDatabase } from './test-database';

const SERVICE_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const BOUNDS = { contentBytes: 1024 * 1024, attributesBytes: 128 * 1024 };

/** Mail's database, a fake search, and workers that feed the one from the other. */
export class FeedSystem {
  readonly store: SearchFeedStore;
  /** When the sender of a mail was answered, by tenant and id. */
  readonly accepted = new Map<string, number>();
  /** Claims that came although a mail accepted before was not there. */
  readonly lies: string[] = [];
  private readonly workers = new Set<SearchFeedWorker>();
  private readonly clients: ServiceClients[] = [];
  private readonly accepting: AcceptStore;

  private constructor(
    readonly database: TestDatabase,
    readonly search: FakeSearchService,
    private readonly dataSource: DataSource,
    readonly client: DatabaseClient,
  ) {
    this.store = new SearchFeedStore(client);
    this.accepting = new AcceptStore(client, { maxQueuedPerTenant: 1_000_000 });
    search.onClaim = (throughMs) => {
      for (const [key, at] of this.accepted) {
        if (at <= throughMs && !search.documents.has(key)) this.lies.push(`${key} at ${at}, claimed through ${throughMs}`);
      }
    };
  }

  static async start(): Promise<FeedSystem> {
    const database = await createDatabase();
    const settings = mailDatabase({
      DATABASE_URL: database.url,
      DATABASE_POOL_SIZE: 8,
      GRPC_TIMEOUT: 30,
    });
    await runMigrations(settings);
    const dataSource = await new DataSource(dataSourceOptions(settings)).initialize();
    const search = new FakeSearchService(`127.0.0.1:${await freePort()}`, SERVICE_KEY);
    await search.start();
    return new FeedSystem(database, search, dataSource, new DatabaseClient(dataSource));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.workers].map((worker) => this.end(worker)));
    for (const client of this.clients) client.onApplicationShutdown();
    this.search.stop();
    await this.dataSource.destroy();
    await this.database.drop();
  }

  /** @param store another one than the real */
  feed(store: SearchFeedStore = this.store): SearchFeedWorker {
    const tokens = new ServiceTokens(SERVICE_KEY);
    const limits = readConfig(z.object({ ...grpcSettings, ...grpcClientSettings }), {});
    const mesh = new Mesh(readConfig(z.object(meshSettings), {}));
    const services = new ServiceClients({ mesh, limits, serviceToken: () => tokens.issue('mail') });
    this.clients.push(services);
    const worker = new SearchFeedWorker(store, services.search(this.search.url), BOUNDS);
    this.workers.add(worker);
    worker.onApplicationBootstrap();
    return worker;
  }

  async end(worker: SearchFeedWorker): Promise<void> {
    this.workers.delete(worker);
    await worker.onModuleDestroy();
  }

  /** Accepts mails as the product does. Gives their ids as callers see them. */
  async accept(count: number, over: Partial<NewEmail> = {}): Promise<string[]> {
    const emails = Array.from({ length: count }, () => newEmail(over));
    await this.accepting.write(emails);
    const now = Date.now();
    for (const { tenant, id } of emails) this.accepted.set(`${tenant} ${formatEmailId(id)}`, now);
    return emails.map(({ id }) => formatEmailId(id));
  }

  /** Has a recipient reach a state, with its event, as the statements of the product do. */
  async change(tenant: string, id: string, status: string): Promise<void> {
    await this.database.query(
      `with r as (update recipient set status = $3 where tenant = $1 and email_id = $2 and position = 0),
        c as (update tenant_counter set last_event = last_event + 1 where tenant = $1 returning last_event)
      insert into event select $1, last_event, gen_random_uuid(), 'email.' || $3, $2, '', $3, '', now() from c`,
      [tenant, id.replace('msg_', ''), status],
    );
  }

  /** Removes a mail, with the event that says so. */
  async remove(tenant: string, id: string): Promise<void> {
    this.accepted.delete(`${tenant} ${id}`);
    await this.database.query(`delete from email where tenant = $1 and id = $2`, [tenant, id.replace('msg_', '')]);
    await this.database.query(
      `with c as (update tenant_counter set last_event = last_event + 1 where tenant = $1 returning last_event)
      insert into event select $1, last_event, gen_random_uuid(), 'email.removed', $2, '', '', '', now() from c`,
      [tenant, id.replace('msg_', '')],
    );
  }

  /** As if the worker that has the lease had died long ago. */
  async expireLease(): Promise<void> {
    await this.database.query(`update search_feed_state set leased_until = now() - interval '1 s'`);
  }
}

export const newEmail = (over: Partial<NewEmail> = {}): NewEmail => ({
  id: randomUUID(),
  tenant: 'acme',
  createdAt: new Date(),
  from: 'Ann <ann@example.com>',
  fromAddress: 'ann@example.com',
  to: ['bob@example.com'],
  cc: [],
  bcc: [],
  replyTo: [],
  subject: 'a subject',
  body: 'a text',
  htmlBody: '',
  headers: {},
  metadata: {},
  attachments: [],
  recipients: [{ address: 'bob@example.com', kind: 'to' }],
  sendAt: undefined,
  expiresAt: new Date(Date.now() + 600_000),
  onUncertain: undefined,
  idempotency: undefined,
  ...over,
});
