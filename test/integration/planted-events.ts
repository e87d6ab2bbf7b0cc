import type { TestDatabase } from './test-database';

export interface Planted {
  tenant?: string;
  type?: string;
  emailId?: string;
  daysAgo?: number;
  detail?: string;
}

/** Writes events as the statements of the product do, by counter and in one transaction. Gives the last cursor. */
export async function plantEvents(database: TestDatabase, count: number, planted: Planted = {}): Promise<number> {
  const { tenant = 'acme', type = 'email.deferred', emailId = null, daysAgo = 0, detail = '' } = planted;
  const [row] = await database.query<{ last_event: string }>(
    `with c as (
       insert into tenant_counter as t (tenant, last_event, queued) values ($1, $2, 0)
       on conflict (tenant) do update set last_event = t.last_event + excluded.last_event returning last_event
     ), e as (
       insert into event (tenant, cursor, id, type, email_id, recipient, status, detail, occurred_at)
       select $1, c.last_event - $2::integer + n, gen_random_uuid(), $3, coalesce($4::uuid, gen_random_uuid()), 'x@example.com',
         substr($3, 7), $6, now() - make_interval(days => $5)
       from c, generate_series(1, $2::integer) n
     )
     select last_event from c`,
    [tenant, count, type, emailId, daysAgo, detail],
  );
  return Number(row!.last_event);
}
