import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import type { RecipientEvent } from './recipient-states';
import { TRANSITIONS } from './recipient.statements';

/** What somebody found out of recipients that are uncertain; without an address, of all of them. */
export interface Finding {
  event: RecipientEvent;
  address: string | undefined;
  note: string;
}

/**
 * $1 tenant, $2 email, $3 event, $4 address or null, $5 note. A job that is held may be at the relay: nothing is changed
 * then. What is queued again gets a job, and at least an hour to be delivered; a job that has nobody left ends.
 */
const RESOLVE = `
with held as (
  select worker from job where tenant = $1 and email_id = $2 for update
), doubts as (
  select r.tenant, r.email_id, r.position, x.next from recipient r join ${TRANSITIONS} on x.state = r.status and x.event = $3
  where r.tenant = $1 and r.email_id = $2 and ($4::text is null or r.address = $4) and r.status = 'uncertain'
    and not exists (select from held where worker is not null)
  for update of r
), resolved as (
  update recipient r set status = d.next, reason = 'RESOLVED_BY_HAND', updated_at = now() from doubts d
  where r.tenant = d.tenant and r.email_id = d.email_id and r.position = d.position
  returning r.tenant, r.email_id, r.position, r.address, r.status
), again as (
  insert into job (tenant, email_id, run_at, attempt_no)
  select $1, $2, now(), (select coalesce(max(attempt_no), 0) from attempt where tenant = $1 and email_id = $2)
  where exists (select from resolved where status = 'queued')
  on conflict (tenant, email_id) do update set run_at = now()
  returning xmax = 0 as is_new
), longer as (
  update email set expires_at = greatest(expires_at, now() + interval '1 hour')
  where tenant = $1 and id = $2 and exists (select from again)
), done as (
  delete from job where tenant = $1 and email_id = $2 and exists (select from resolved) and not exists (select from resolved where status = 'queued')
    and not exists (
      select from recipient r where r.tenant = $1 and r.email_id = $2 and r.status in ('queued', 'deferred', 'uncertain')
        and r.position not in (select position from resolved))
  returning tenant
), counters as (
  update tenant_counter set last_event = last_event + (select count(*) from resolved),
    queued = queued + (select count(*) from again where is_new) - (select count(*) from done)
  where tenant = $1 and exists (select from resolved) returning last_event
), events as (
  insert into event (tenant, cursor, id, type, email_id, recipient, status, detail, occurred_at)
  select r.tenant, c.last_event + 1 - row_number() over (order by r.position desc), gen_random_uuid(), 'email.' || r.status, r.email_id,
    r.address, r.status, $5, now()
  from resolved r cross join counters c
)
select exists (select from held where worker is not null) as busy, exists (select from resolved) as resolved`;

@Injectable()
export class ResolutionStore {
  constructor(private readonly database: DatabaseClient) {}

  /** @returns busy: a worker holds the mail right now; none: nobody asked about is uncertain */
  async resolve(tenant: string, id: string, { event, address, note }: Finding): Promise<'resolved' | 'busy' | 'none'> {
    const values = [tenant, id, event, address ?? null, note];
    const { rows } = await this.database.change<{ busy: boolean; resolved: boolean }>({ name: 'email-resolve', text: RESOLVE, values });
    if (rows[0]?.resolved) return 'resolved';
    return rows[0]?.busy ? 'busy' : 'none';
  }
}
