import { Client } from 'pg';
import type { SeenEvent } from './event.reader';
import type { Figure } from './round';
import type { Started } from './started';

/** The product's own records, read beside it as the second count of what is seen from the outside. */
export class ProofDatabase {
  private constructor(private readonly client: Client) {}

  static async connect(url: string | undefined, started: Started): Promise<ProofDatabase> {
    const client = new Client({ connectionString: url });
    // The stack may be ended first.
    client.on('error', () => undefined);
    started.onEnd(() => client.end());
    await client.connect();
    return new ProofDatabase(client);
  }

  async settings(): Promise<Figure[]> {
    const names = ['server_version', 'fsync', 'synchronous_commit'];
    const text = `select current_setting($1) as server_version, current_setting($2) as fsync, current_setting($3) as synchronous_commit`;
    const [row] = await this.rows<Record<string, string>>(text, names);
    return [['PostgreSQL', names.map((name, i) => (i === 0 ? row?.[name] : `${name} ${row?.[name]}`)).join(', ')]];
  }

  emails(): Promise<number> {
    return this.number('select count(*) from email');
  }

  /** Emails that still have somebody to reach. */
  jobs(): Promise<number> {
    return this.number('select count(*) from job');
  }

  recipientsNotSent(): Promise<number> {
    return this.number(`select count(*) from recipient where status <> 'sent'`);
  }

  /** Emails that a relay took more than once, as far as attempts were recorded. */
  acceptedTwice(): Promise<number> {
    return this.number(
      `select count(*) from (select 1 from attempt where outcome = 'accepted' group by tenant, email_id having count(*) > 1) twice`,
    );
  }

  attemptsAccepted(): Promise<number> {
    return this.number(`select count(*) from attempt where outcome = 'accepted'`);
  }

  /** Ids of emails that were claimed more often than an outcome was recorded: a worker died with them. */
  async takenOver(): Promise<string[]> {
    const text = 'select email_id as id from attempt group by tenant, email_id having count(*) < max(attempt_no)';
    return (await this.rows<{ id: string }>(text)).map(({ id }) => `msg_${id}`);
  }

  /** Ids of emails that have events of this type, with how many. */
  async events(type: string): Promise<Map<string, number>> {
    const text = 'select email_id as id, count(*) from event where type = $1 group by email_id';
    const rows = await this.rows<{ id: string; count: string }>(text, [type]);
    return new Map(rows.map(({ id, count }) => [`msg_${id}`, Number(count)]));
  }

  /** The cursor of the last one; the stack has one tenant. */
  lastEvent(): Promise<number> {
    return this.number('select coalesce(max(last_event), 0) as count from tenant_counter');
  }

  /** All of them as they are told, in order. */
  allEvents(): Promise<SeenEvent[]> {
    return this.rows(`
      select cursor::text, 'evt_' || id as id, type, 'msg_' || email_id as "messageId", recipient, status, detail,
        floor(extract(epoch from occurred_at) * 1000)::float8 as "occurredAtMs"
      from event order by tenant, event.cursor`);
  }

  /** Whether it is committed that the final dot of this email may have left. */
  async isDataSent(id: string): Promise<boolean> {
    const text = 'select count(*) from job where email_id = $1 and data_sent_at is not null';
    return (await this.number(text, [id.replace('msg_', '')])) > 0;
  }

  /** Uploads that are not over, and objects that are still to be removed. */
  filesUnderWay(): Promise<number> {
    return this.number('select (select count(*) from upload) + (select count(*) from discarded_object) as count');
  }

  /** The objects of all that is stored. */
  async objects(): Promise<string[]> {
    return (await this.rows<{ id: string }>('select object_id as id from content')).map(({ id }) => id);
  }

  /** Every file, by its id, with the hash of its content in hex. */
  async files(): Promise<Map<string, string>> {
    const text = `select 'file_' || id as id, encode(sha256, 'hex') as sha256 from file`;
    return new Map((await this.rows<{ id: string; sha256: string }>(text)).map(({ id, sha256 }) => [id, sha256]));
  }

  /** What tenants are said to occupy, and what they do, in bytes. */
  async usage(): Promise<{ counted: number; stored: number }> {
    const counted = await this.number('select coalesce(sum(bytes), 0) as count from file_usage');
    return { counted, stored: await this.number('select coalesce(sum(size), 0) as count from content') };
  }

  private async number(text: string, values: unknown[] = []): Promise<number> {
    const [row] = await this.rows<{ count: string }>(text, values);
    return Number(row?.count);
  }

  private async rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(text, values)).rows;
  }
}
