import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Up to where search has been told of each tenant's events. `walk_after`: all mails of the tenant are being read again,
 * by id, and so far those up to this one. `search_feed_state` has one row: who feeds, and what was claimed last.
 */
export class SearchFeed1764200000000 implements MigrationInterface {
  readonly name = 'SearchFeed1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table search_feed (
        tenant text primary key,
        cursor bigint not null,
        walk_after uuid,
        walked bigint not null default 0
      ) with (fillfactor = 70);
      create table search_feed_state (
        only_one boolean primary key default true check (only_one),
        worker uuid,
        leased_until timestamptz,
        rebuilds integer not null default 0,
        checkpoint text not null default '',
        through_ms bigint not null default 0
      );
      insert into search_feed_state default values;
      create table search_feed_failure (
        tenant text not null,
        email_id uuid not null,
        version bigint not null,
        error text not null,
        failed_at timestamptz not null,
        primary key (tenant, email_id)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table search_feed_failure, search_feed_state, search_feed');
  }
}
