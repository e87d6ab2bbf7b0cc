import { Client } from 'pg';
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

  private async number(text: string): Promise<number> {
    const [row] = await this.rows<{ count: string }>(text);
    return Number(row?.count);
  }

  private async rows<Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.client.query<Row>(text, values)).rows;
  }
}
