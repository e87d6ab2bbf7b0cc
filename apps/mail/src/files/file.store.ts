import { Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { DatabaseClient, OutcomeUnknownError, type RunInTransaction, sqlState } from '@sky-genesis/database';
import type { ObjectState } from './object.store';
import type { StoredFile } from './stored-file';

/** A file whose bytes are all stored: what is to be recorded of it. */
export type NewFile = Omit<StoredFile, 'createdAt'> & { tenant: string; implicit: boolean };

interface FileRow {
  id: string;
  filename: string;
  content_type: string;
  size: string;
  sha256: Buffer;
  created_at: Date;
  object_id: string;
  object_state: ObjectState;
}

const TRIES = 3;
/** Rolled back for the sake of another transaction, or the content that was to be referred to was removed by one: worth another try. */
const AGAIN = /^(40|23503)/;

/** Files that are complete, and the content that they refer to: kept once for each hash of a tenant, for as long as a file or a mail refers to it. */
@Injectable()
export class FileStore {
  constructor(private readonly database: DatabaseClient) {}

  /** The tenant's complete files of these ids, by id. */
  async find(tenant: string, ids: readonly string[]): Promise<Map<string, StoredFile>> {
    const text = `
      select f.id, f.filename, f.content_type, f.size, f.sha256, f.created_at, c.object_id, c.object_state
      from file f join content c using (tenant, sha256) where f.tenant = $1 and f.id = any($2::uuid[])`;
    const rows = await this.database.read<FileRow>({ name: 'file-find', text, values: [tenant, ids] });
    return new Map(rows.map((row) => [row.id, toStoredFile(row)]));
  }

  /** Which of these ids are uploads that are not complete. */
  async unfinished(tenant: string, ids: readonly string[]): Promise<Set<string>> {
    const text = `select id from upload where tenant = $1 and id = any($2::uuid[])`;
    const rows = await this.database.read<{ id: string }>({ name: 'file-unfinished', text, values: [tenant, ids] });
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Makes a file of an upload, in one transaction. Where the tenant has the content already, the upload's own object is
   * discarded.
   * @returns undefined: the writer was followed by another, or the upload is gone
   */
  complete(file: NewFile, writer: string): Promise<StoredFile | undefined> {
    const { tenant, id, object } = file;
    return this.transaction(async (run) => {
      const text = `delete from upload where tenant = $1 and id = $2 and writer = $3 returning charged`;
      const [upload] = (await run<{ charged: string }>({ text, values: [tenant, id, writer] })).rows;
      if (!upload) return undefined;
      const kept = await run({
        text: `insert into content (tenant, sha256, size, object_id, object_state) values ($1, $2, $3, $4, $5) on conflict do nothing`,
        values: [tenant, file.sha256, object.size, object.id, object.state],
      });
      if (kept.rowCount === 0) await discard(run, tenant, object.id, object.state);
      await count(run, tenant, (kept.rowCount ?? 0) * object.size - Number(upload.charged));
      return insertFile(run, file);
    });
  }

  /** Makes another file of content that the tenant has; undefined where it has not. */
  copyOf(file: Omit<NewFile, 'size' | 'object'>): Promise<StoredFile | undefined> {
    return this.transaction(async (run) => {
      const text = `select size from content where tenant = $1 and sha256 = $2 for key share`;
      const [content] = (await run<{ size: string }>({ text, values: [file.tenant, file.sha256] })).rows;
      return content && insertFile(run, { ...file, size: Number(content.size) });
    });
  }

  /**
   * Removes a file, and its content when nothing else refers to it.
   * @returns whether there was one
   * @throws RuleError FILE_IN_USE
   */
  delete(tenant: string, id: string): Promise<boolean> {
    return this.transaction(async (run) => {
      const values = [tenant, id];
      // A mail that refers to it locks it, too: from here on none can be accepted, and the next statement sees all that were.
      const locked = await run<{ sha256: Buffer }>({ text: 'select sha256 from file where tenant = $1 and id = $2 for update', values });
      if (!locked.rows[0]) return false;
      const waiting = `select from attachment a join job j using (tenant, email_id) where a.tenant = $1 and a.file_id = $2 limit 1`;
      if ((await run({ text: waiting, values })).rowCount !== 0) throw new RuleError('FILE_IN_USE');
      await run({ text: 'delete from file where tenant = $1 and id = $2', values });
      await forgetContent(run, tenant, locked.rows[0].sha256);
      return true;
    });
  }

  /** Files that were made of inline content an hour ago and more: those that no mail refers to, a bounded number. */
  async abandoned(limit: number): Promise<{ tenant: string; id: string }[]> {
    const { rows } = await this.database.run<{ tenant: string; id: string; used: boolean }>({
      text: `
        with old as (
          select tenant, id, exists (select from attachment a where a.tenant = f.tenant and a.file_id = f.id) as used
          from file f where implicit and created_at < now() - interval '1 hour' order by created_at limit $1
        ), settled as (
          update file f set implicit = false from old where old.used and f.tenant = old.tenant and f.id = old.id
        )
        select tenant, id from old where not used`,
      values: [limit],
    });
    return rows;
  }

  private async transaction<Result>(work: (run: RunInTransaction) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.database.transaction(work);
      } catch (error) {
        if (error instanceof OutcomeUnknownError) throw new RuleError('CHANGE_UNKNOWN');
        if (!AGAIN.test(sqlState(error)) || attempt === TRIES) throw error;
      }
    }
  }
}

async function insertFile(run: RunInTransaction, file: Omit<NewFile, 'object'>): Promise<StoredFile> {
  const { rows } = await run<FileRow>({
    text: `
      with inserted as (
        insert into file (tenant, id, filename, content_type, size, sha256, implicit, created_at) values ($1, $2, $3, $4, $5, $6, $7, now()) returning *
      )
      select f.*, c.object_id, c.object_state from inserted f join content c using (tenant, sha256)`,
    values: [file.tenant, file.id, file.filename, file.contentType, file.size, file.sha256, file.implicit],
  });
  return toStoredFile(rows[0]!);
}

/** Who refers to content takes a share of its row: while this holds it, nobody can begin to. */
async function forgetContent(run: RunInTransaction, tenant: string, sha256: Buffer): Promise<void> {
  const values = [tenant, sha256];
  await run({ text: 'select from content where tenant = $1 and sha256 = $2 for update', values });
  const text = `
    delete from content c where tenant = $1 and sha256 = $2
      and not exists (select from file f where f.tenant = $1 and f.sha256 = $2)
      and not exists (select from attachment a where a.tenant = $1 and a.sha256 = $2)
    returning size, object_id, object_state`;
  const [gone] = (await run<{ size: string; object_id: string; object_state: ObjectState }>({ text, values })).rows;
  if (!gone) return;
  await discard(run, tenant, gone.object_id, gone.object_state);
  await count(run, tenant, -Number(gone.size));
}

const discard = (run: RunInTransaction, tenant: string, objectId: string, state: ObjectState) =>
  run({ text: `insert into discarded_object (tenant, object_id, object_state) values ($1, $2, $3)`, values: [tenant, objectId, state] });

const count = (run: RunInTransaction, tenant: string, bytes: number) =>
  run({ text: `update file_usage set bytes = bytes + $2 where tenant = $1`, values: [tenant, bytes] });

const toStoredFile = (row: FileRow): StoredFile => ({
  id: row.id,
  filename: row.filename,
  contentType: row.content_type,
  size: Number(row.size),
  sha256: row.sha256,
  createdAt: row.created_at,
  object: { id: row.object_id, size: Number(row.size), state: row.object_state },
});
