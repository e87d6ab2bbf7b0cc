import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The bytes of files are in an object store; what there is, and whose, is told here alone. `content` is what a tenant has
 * stored, once for each hash; files and attachments refer to it. `upload` is an object that is still being written;
 * `discarded_object` one that nothing refers to any more and that is still to be removed from the store. An object is in one
 * of the three from before its first byte until it is removed.
 */
export class Files1764300000000 implements MigrationInterface {
  readonly name = 'Files1764300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table content (
        tenant text not null,
        sha256 bytea not null,
        size bigint not null,
        object_id uuid not null,
        object_state jsonb not null,
        primary key (tenant, sha256)
      );
      create table file (
        tenant text not null,
        id uuid not null,
        filename text not null,
        content_type text not null,
        size bigint not null,
        sha256 bytea not null,
        created_at timestamptz not null,
        implicit boolean not null,
        primary key (tenant, id),
        foreign key (tenant, sha256) references content (tenant, sha256)
      );
      create index file_content on file (tenant, sha256);
      create index file_implicit on file (created_at) where implicit;
      create table upload (
        tenant text not null,
        id uuid not null,
        filename text not null,
        content_type text not null,
        total_size bigint,
        sha256 bytea,
        received bigint not null default 0,
        object_state jsonb not null default '{}',
        charged bigint not null,
        writer uuid,
        written_until timestamptz,
        expires_at timestamptz not null,
        primary key (tenant, id)
      ) with (fillfactor = 50);
      create index upload_expires_at on upload (expires_at);
      create table file_usage (
        tenant text primary key,
        bytes bigint not null
      ) with (fillfactor = 50);
      create table discarded_object (
        tenant text not null,
        object_id uuid not null,
        object_state jsonb not null,
        due_at timestamptz not null default now(),
        primary key (tenant, object_id)
      );
      create index discarded_object_due_at on discarded_object (due_at);
      create table object_store (
        only_one boolean primary key default true check (only_one),
        kind text not null,
        identity text not null
      );
      alter table attachment
        alter column content drop not null,
        add column file_id uuid,
        add column sha256 bytea,
        add column size bigint,
        add foreign key (tenant, sha256) references content (tenant, sha256),
        add check ((content is null) = (sha256 is not null));
      create index attachment_content on attachment (tenant, sha256) where sha256 is not null;
      create index attachment_file on attachment (tenant, file_id) where file_id is not null;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      delete from attachment where content is null;
      alter table attachment drop column file_id, drop column sha256, drop column size, alter column content set not null;
      drop table object_store, discarded_object, file_usage, upload, file, content;
    `);
  }
}
