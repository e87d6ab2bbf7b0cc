import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `terms` is what is searched, `ranked` what of it makes a document rank higher, `names` the words that a misspelled one
 * is compared with, a line for each field: all made by engines/postgres/tsvector.ts. `numbers` are the values that count
 * as numbers. `placed_xid` is the last transaction that changed where a document ranks. A deletion stays for a while as a
 * row without content, for its version.
 */
export class Documents1764200000000 implements MigrationInterface {
  readonly name = 'Documents1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    // Trusted: whoever may create in the database may create these.
    await runner.query(`
      create extension if not exists btree_gin;
      create extension if not exists pg_trgm;
      create extension if not exists fuzzystrmatch;
      create table document (
        tenant text collate "C" not null,
        id text collate "C" not null,
        kind text not null,
        version bigint not null,
        "timestamp" bigint not null,
        title text not null,
        url text not null,
        beginning text not null,
        attributes jsonb not null,
        numbers jsonb not null,
        names text not null,
        ranked tsvector not null,
        content text not null,
        terms tsvector not null,
        digest text not null,
        placed_xid xid8 not null,
        deleted_at timestamptz,
        primary key (tenant, id)
      ) with (
        toast_tuple_target = 128, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,
        autovacuum_analyze_scale_factor = 0.02
      );
    `);
    // What every search reads of each row stays in it; only terms and content are kept apart, so that a page holds many rows.
    for (const column of ['title', 'url', 'beginning', 'attributes', 'numbers', 'names', 'ranked']) {
      await runner.query(`alter table document alter column ${column} set storage main`);
    }
    // All that a search looks for in one index, so that the tenant is intersected once. The tenant is an expression there that
    // no other index has: a search for words that asks for it so is never answered by reading the terms of every row.
    await runner.query(`
      alter table document alter column terms set storage external;
      create index document_search on document using gin ((tenant || ''), terms, attributes jsonb_path_ops, names gin_trgm_ops)
        with (gin_pending_list_limit = 1024) where deleted_at is null;
      create statistics document_tenant on (tenant || '') from document;
      create index document_timestamp on document (tenant, "timestamp" desc, id);
      create index document_deleted_at on document (deleted_at) where deleted_at is not null;
      create table document_checkpoint (
        source text collate "C" primary key,
        checkpoint text not null,
        through_ms bigint not null
      );
    `);
    // The threshold only finds candidates quickly; which of them are close enough is decided by counting edits.
    await runner.query(`
      create function document_fuzzy(for_tenant text, word text, edits integer, swapped text[], line integer) returns setof text
      language sql stable set pg_trgm.word_similarity_threshold = 0.3 as $$
        select d.id from document d
        where d.tenant || '' = for_tenant and d.deleted_at is null and word <% d.names and exists (
          select from string_to_table(case when line = 0 then replace(d.names, E'\\n', ' ') else split_part(d.names, E'\\n', line) end, ' ') w
          where w = any(swapped) or case when length(w) between length(word) - edits and length(word) + edits
            then levenshtein_less_equal(word, w, edits) <= edits else false end
        )
      $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop function document_fuzzy; drop table document_checkpoint, document');
  }
}
