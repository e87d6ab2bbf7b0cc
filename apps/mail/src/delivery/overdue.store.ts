import type { DatabaseClient } from '@sky-genesis/database';
import type { DoubtPage, DoubtPlace } from './doubt-walk';
import type { Overdue } from './overdue';
import type { AgingState, StateAge } from './state-ages';

/** The states of an email with somebody to reach; one that is sent again after a doubt counts as deferred. */
export type DueState = Exclude<AgingState, 'hanging' | 'uncertain'>;

/** What a job is: due, so that a worker may claim it; held by one; or not due yet, scheduled or put off. */
export const jobStates = ['due', 'held', 'later'] as const;

export type JobState = (typeof jobStates)[number];

export interface DueLook {
  /** How long the oldest due email has waited; 0 when none is due. */
  oldestDueSeconds: number;
  overdue: [DueState, Overdue][];
}

const BEGINNING: DoubtPlace = { startedAt: '-infinity', emailId: '00000000-0000-0000-0000-000000000000' };

/** Rows that one look reads at most, so that it costs the same beside ten jobs and ten million. */
const MAX_OVERDUE = 1000;
const MAX_COUNTED = 10_000;
const MAX_DOUBTS = 1000;

/** Looks for what is overdue, by indexes and to a bound. */
export class OverdueStore {
  /** @param onUncertain of mails that do not say it themselves */
  constructor(
    private readonly database: DatabaseClient,
    private readonly onUncertain: 'hold' | 'resend',
  ) {}

  /** Among the oldest that are due. With more than a thousand overdue, states of younger ones may not be seen. */
  async due(ages: Record<DueState, StateAge>): Promise<DueLook> {
    const values = [JSON.stringify(ages)];
    const rows = await this.database.read<Overdue & { state: DueState | null; waited: number }>({ name: 'overdue-due', text: DUE, values });
    const overdue = rows.flatMap(({ state, count, oldestId, oldestSeconds }): [DueState, Overdue][] =>
      state === null ? [] : [[state, { count, oldestId, oldestSeconds }]],
    );
    return { oldestDueSeconds: rows[0]?.waited ?? 0, overdue };
  }

  /** Emails with somebody to reach: of those that are due, and of those that are not, ten thousand at most. */
  async jobs(): Promise<Map<JobState, number>> {
    const rows = await this.database.read<{ state: JobState; count: number }>({ name: 'overdue-jobs', text: JOBS, values: [] });
    return new Map(rows.map(({ state, count }) => [state, count]));
  }

  /** A page of the attempts that ended in doubt so long ago, oldest first: those that nobody has resolved. */
  async doubts(seconds: number, after: DoubtPlace = BEGINNING): Promise<DoubtPage> {
    const [row] = await this.database.read<Overdue & { read: number; lastAt: string; lastId: string }>({
      name: 'overdue-doubts',
      text: DOUBTS,
      values: [seconds, after.startedAt, after.emailId, this.onUncertain],
    });
    const { count, oldestId, oldestSeconds, read, lastAt, lastId } = row as NonNullable<typeof row>;
    return {
      overdue: count > 0 ? { count, oldestId, oldestSeconds } : undefined,
      next: read === MAX_DOUBTS ? { startedAt: lastAt, emailId: lastId } : undefined,
    };
  }
}

/** $1 the longest age of each state, in `seconds`. `run_at` of a job that a worker holds is when its lease ends. */
const DUE = `
with oldest as (
  select tenant, email_id, worker, extract(epoch from now() - run_at)::float8 as wait
  from job where run_at <= now() order by run_at limit ${MAX_OVERDUE}
), seen as (
  select o.email_id, o.wait, case when o.worker is not null then 'sending'
    when exists (select from recipient r where r.tenant = o.tenant and r.email_id = o.email_id and r.status in ('deferred', 'uncertain')) then 'deferred'
    when e.send_at is not null then 'scheduled' else 'queued' end as state
  from oldest o join email e on e.tenant = o.tenant and e.id = o.email_id
), overdue as (
  select state, count(*)::integer as count, (array_agg(email_id order by wait desc))[1] as id, max(wait) as wait
  from seen where wait > ($1::json->state->>'seconds')::float8 group by state
)
select w.wait as waited, o.state, o.count, o.id as "oldestId", o.wait as "oldestSeconds"
from (select coalesce(max(wait), 0) as wait from oldest) w left join overdue o on true`;

const JOBS = `
select case when worker is not null then 'held' when run_at > now() then 'later' else 'due' end as state, count(*)::integer as count from (
  (select worker, run_at from job where run_at <= now() order by run_at limit ${MAX_COUNTED})
  union all
  (select worker, run_at from job where run_at > now() order by run_at limit ${MAX_COUNTED})
) bounded group by 1`;

/**
 * $1 seconds, $2 and $3 the place to go on after, $4 the policy of mails without one. Those that are sent again are not
 * waiting for anybody. A recipient in doubt has an attempt that ended in doubt, and attempts
 * do not change: an index on the recipients' state would make every change of it dearer.
 */
const DOUBTS = `
with page as (
  select tenant, email_id, started_at from attempt
  where outcome = 'uncertain' and (started_at, email_id) > ($2::timestamptz, $3::uuid) and started_at < now() - make_interval(secs => $1::float8)
  order by started_at, email_id limit ${MAX_DOUBTS}
), waiting as (
  select p.email_id, max(p.started_at) as since from page p join email e on e.tenant = p.tenant and e.id = p.email_id
  where (coalesce(e.on_uncertain, $4) = 'hold' or not exists (select from job j where j.tenant = p.tenant and j.email_id = p.email_id))
    and exists (select from recipient r where r.tenant = p.tenant and r.email_id = p.email_id and r.status = 'uncertain')
  group by p.tenant, p.email_id
)
select count(*)::integer as count, (array_agg(email_id order by since))[1] as "oldestId",
  extract(epoch from now() - min(since))::float8 as "oldestSeconds", (select count(*)::integer from page) as read,
  (select started_at::text from page order by started_at desc, email_id desc limit 1) as "lastAt",
  (select email_id from page order by started_at desc, email_id desc limit 1) as "lastId"
from waiting`;
