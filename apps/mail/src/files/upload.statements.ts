const UPLOAD = 'id, filename, content_type, total_size, sha256, received, object_state, expires_at';

/**
 * $1 tenant, $2 id, $3 filename, $4 content type, $5 total size, $6 sha256, $7 writer, $8 seconds of a claim, $9 seconds of an upload,
 * $10 bytes of a tenant, $11 uploads of a tenant. Nothing comes back where it would not fit.
 */
export const CREATE = `
with used as (
  insert into file_usage as u (tenant, bytes)
  select $1::text, coalesce($5::bigint, 0)
  where coalesce($5::bigint, 0) <= $10::bigint and (select count(*) from upload where tenant = $1) < $11::bigint
  on conflict (tenant) do update set bytes = u.bytes + excluded.bytes where u.bytes + excluded.bytes <= $10 or excluded.bytes = 0
  returning 1
)
insert into upload (tenant, id, filename, content_type, total_size, sha256, charged, writer, written_until, expires_at)
select $1, $2, $3, $4, $5, $6, coalesce($5, 0), $7::uuid, case when $7 is not null then now() + make_interval(secs => $8) end, now() + make_interval(secs => $9)
from used returning ${UPLOAD}`;

/** $1 tenant, $2 id, $3 writer, $4 seconds of a claim. */
export const CLAIM = `
update upload set writer = $3, written_until = now() + make_interval(secs => $4)
where tenant = $1 and id = $2 and expires_at > now() and (writer is null or written_until < now()) returning ${UPLOAD}`;

/** As CLAIM. One that has lapsed is still the writer's, as long as nobody has followed. */
export const RENEW = `update upload set written_until = now() + make_interval(secs => $4) where tenant = $1 and id = $2 and writer = $3`;

/**
 * $1 tenant, $2 id, $3 writer, $4 bytes stored, $5 object state, $6 total size, $7 release, $8 seconds of a claim, $9 seconds of an upload,
 * $10 bytes of a tenant. What was not announced is counted to the tenant as it comes.
 */
export const KEEP = `
with held as (
  select greatest(coalesce($6::bigint, total_size, 0), $4::bigint) - charged as more from upload where tenant = $1 and id = $2 and writer = $3 for update
), used as (
  update file_usage u set bytes = u.bytes + held.more from held where u.tenant = $1 and held.more > 0 and u.bytes + held.more <= $10 returning 1
), kept as (
  update upload set received = $4, object_state = $5, total_size = coalesce($6, total_size), charged = charged + greatest(held.more, 0),
    writer = case when $7 then null else writer end, written_until = case when $7 then null else now() + make_interval(secs => $8) end,
    expires_at = now() + make_interval(secs => $9)
  from held where tenant = $1 and id = $2 and (held.more <= 0 or exists (select from used)) returning 1
)
select exists (select from held) as held, exists (select from kept) as kept`;

/** What a writer that does not know yet may still put into the store must be there before it is removed. */
const DISCARD_GONE = `
discarded as (
  insert into discarded_object (tenant, object_id, object_state, due_at)
  select tenant, id, object_state, now() + case when writer is null then interval '0' else interval '1 minute' end from gone
), used as (
  update file_usage u set bytes = u.bytes - g.charged from (select tenant, sum(charged) as charged from gone group by tenant) g where u.tenant = g.tenant
)
select from gone`;

/** $1 tenant, $2 id, $3 writer, or null: whoever writes. */
export const DROP = `
with gone as (
  delete from upload where tenant = $1 and id = $2 and ($3::uuid is null or writer = $3)
  returning tenant, id, object_state, charged, case when $3 is null and written_until > now() then writer end as writer
), ${DISCARD_GONE}`;

/** $1 how many at most. */
export const EXPIRE = `
with old as (
  select tenant, id from upload where expires_at < now() and (writer is null or written_until < now()) order by expires_at limit $1 for update skip locked
), gone as (
  delete from upload u using old where u.tenant = old.tenant and u.id = old.id returning u.tenant, u.id, u.object_state, u.charged, u.writer
), ${DISCARD_GONE}`;
