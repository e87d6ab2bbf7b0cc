import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every key leads with the tenant, so that the tables can be distributed. `job` is a lease table: a row lives while an
 * email has recipients to reach; `run_at` is when it is due, or, while a worker holds it, when the lease ends.
 */
export class Emails1764000000000 implements MigrationInterface {
  readonly name = 'Emails1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table tenant_counter (
        tenant text primary key,
        last_event bigint not null,
        queued bigint not null
      );
      create table email (
        tenant text not null,
        id uuid not null,
        created_at timestamptz not null,
        from_mailbox text not null,
        from_address text not null,
        to_mailboxes text[] not null,
        cc_mailboxes text[] not null,
        bcc_mailboxes text[] not null,
        reply_to text[] not null,
        subject text not null,
        body text not null,
        html_body text not null,
        headers jsonb not null,
        metadata jsonb not null,
        send_at timestamptz,
        expires_at timestamptz not null,
        on_uncertain text,
        attachment_count integer not null,
        primary key (tenant, id)
      );
      create index email_from_address on email (tenant, from_address, id);
      create table recipient (
        tenant text not null,
        email_id uuid not null,
        position integer not null,
        address text not null,
        kind text not null,
        status text not null,
        attempts integer not null default 0,
        last_reply text not null default '',
        enhanced_code text not null default '',
        reason text not null default '',
        updated_at timestamptz not null,
        primary key (tenant, email_id, position),
        foreign key (tenant, email_id) references email (tenant, id) on delete cascade
      ) with (fillfactor = 85);
      create index recipient_address on recipient (tenant, address, email_id);
      create table attachment (
        tenant text not null,
        email_id uuid not null,
        position integer not null,
        filename text not null,
        content_type text not null,
        content_id text not null,
        content bytea not null,
        primary key (tenant, email_id, position),
        foreign key (tenant, email_id) references email (tenant, id) on delete cascade
      );
      alter table attachment alter column content set storage external;
      create table attempt (
        tenant text not null,
        email_id uuid not null,
        attempt_no integer not null,
        started_at timestamptz not null,
        duration_ms integer not null,
        relay text not null,
        outcome text not null,
        reply text not null,
        enhanced_code text not null,
        tls_version text not null,
        primary key (tenant, email_id, attempt_no),
        foreign key (tenant, email_id) references email (tenant, id) on delete cascade
      );
      create table job (
        tenant text not null,
        email_id uuid not null,
        run_at timestamptz not null,
        attempt_no integer not null default 0,
        worker uuid,
        primary key (tenant, email_id),
        foreign key (tenant, email_id) references email (tenant, id) on delete cascade
      ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
      create index job_due on job (run_at);
      create table event (
        tenant text not null,
        cursor bigint not null,
        id uuid not null,
        type text not null,
        email_id uuid not null,
        recipient text not null,
        status text not null,
        detail text not null,
        occurred_at timestamptz not null,
        primary key (tenant, cursor)
      );
      create table idempotency_key (
        tenant text not null,
        key text not null,
        email_id uuid not null,
        fingerprint bytea not null,
        status text not null,
        accepted_at timestamptz not null,
        primary key (tenant, key)
      );
      create index idempotency_key_accepted_at on idempotency_key (accepted_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table idempotency_key, event, job, attempt, attachment, recipient, email, tenant_counter');
  }
}
