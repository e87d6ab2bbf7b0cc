import { Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { DatabaseClient } from '@sky-genesis/database';
import { FileLimits } from './file-limits';
import type { ObjectState, StoredObject } from './object.store';
import type { Upload } from './upload';
import { CLAIM, CREATE, DROP, EXPIRE, KEEP, RENEW } from './upload.statements';

/** How long a writer that says nothing keeps others out. */
export const CLAIM_SECONDS = 10;

interface UploadRow {
  id: string;
  filename: string;
  content_type: string;
  total_size: string | null;
  sha256: Buffer | null;
  received: string;
  object_state: ObjectState;
  expires_at: Date;
}

/** What to record of an upload while it is written. */
export interface Progress {
  object: StoredObject;
  totalSize: number | undefined;
}

/** Uploads that are not complete: what of them is stored, and who may write. A writer is a fence: what one says that was followed changes nothing. */
@Injectable()
export class UploadStore {
  constructor(
    private readonly database: DatabaseClient,
    private readonly limits: FileLimits,
  ) {}

  /**
   * Keeps room for what it announces.
   * @param writer who writes to it from the beginning; null: nobody yet
   * @throws RuleError FILE_QUOTA_EXCEEDED
   */
  async create(
    upload: Pick<Upload, 'tenant' | 'id' | 'filename' | 'contentType' | 'totalSize' | 'sha256'>,
    writer: string | null,
  ): Promise<Upload> {
    const { tenant, id, filename, contentType, totalSize, sha256 } = upload;
    const { bytesPerTenant, uploadsPerTenant, uploadExpirySeconds } = this.limits;
    const values = [tenant, id, filename, contentType, totalSize ?? null, sha256 ?? null, writer, CLAIM_SECONDS, uploadExpirySeconds];
    const { rows } = await this.database.change<UploadRow>({
      name: 'upload-create',
      text: CREATE,
      values: [...values, bytesPerTenant, uploadsPerTenant],
    });
    if (!rows[0]) throw await this.quotaExceeded(tenant, totalSize ?? 0);
    return toUpload(tenant, rows[0]);
  }

  /** undefined: the tenant has no such upload. */
  async find(tenant: string, id: string): Promise<Upload | undefined> {
    const text = `select id, filename, content_type, total_size, sha256, received, object_state, expires_at
      from upload where tenant = $1 and id = $2 and expires_at > now()`;
    const [row] = await this.database.read<UploadRow>({ name: 'upload-find', text, values: [tenant, id] });
    return row && toUpload(tenant, row);
  }

  /**
   * Makes this writer the only one, unless another one is at work.
   * @returns undefined: the tenant has no such upload
   * @throws RuleError UPLOAD_BUSY
   */
  async claim(tenant: string, id: string, writer: string): Promise<Upload | undefined> {
    const { rows } = await this.database.change<UploadRow>({
      name: 'upload-claim',
      text: CLAIM,
      values: [tenant, id, writer, CLAIM_SECONDS],
    });
    if (rows[0]) return toUpload(tenant, rows[0]);
    if (await this.find(tenant, id)) throw uploadBusy();
    return undefined;
  }

  /**
   * Records what is stored, and holds on to the claim.
   * @param release gives the claim back with it
   * @throws RuleError UPLOAD_BUSY (another writer has followed, or the upload was deleted), FILE_QUOTA_EXCEEDED
   */
  async keep(tenant: string, writer: string, { object, totalSize }: Progress, release: boolean): Promise<void> {
    const { bytesPerTenant, uploadExpirySeconds } = this.limits;
    const values = [tenant, object.id, writer, object.size, object.state, totalSize ?? null, release, CLAIM_SECONDS, uploadExpirySeconds];
    const { rows } = await this.database.change<{ held: boolean; kept: boolean }>({
      name: 'upload-keep',
      text: KEEP,
      values: [...values, bytesPerTenant],
    });
    if (!rows[0]?.held) throw uploadBusy();
    if (!rows[0].kept) throw await this.quotaExceeded(tenant, totalSize ?? object.size);
  }

  /** Holds on to the claim. @throws RuleError UPLOAD_BUSY */
  async renew(tenant: string, id: string, writer: string): Promise<void> {
    const { rowCount } = await this.database.run({ name: 'upload-renew', text: RENEW, values: [tenant, id, writer, CLAIM_SECONDS] });
    if (rowCount === 0) throw uploadBusy();
  }

  /** Gives the claim back. */
  async release(tenant: string, id: string, writer: string): Promise<void> {
    const text = `update upload set writer = null, written_until = null where tenant = $1 and id = $2 and writer = $3`;
    await this.database.run({ name: 'upload-release', text, values: [tenant, id, writer] });
  }

  /**
   * Ends an upload with what it occupies.
   * @param writer who holds it; null: whoever does
   * @returns whether there was one
   */
  async drop(tenant: string, id: string, writer: string | null): Promise<boolean> {
    const { rowCount } = await this.database.change({ name: 'upload-drop', text: DROP, values: [tenant, id, writer] });
    return rowCount === 1;
  }

  /** Ends uploads whose time is over, a bounded number; gives how many. */
  async expire(limit: number): Promise<number> {
    const { rowCount } = await this.database.run({ text: EXPIRE, values: [limit] });
    return rowCount ?? 0;
  }

  /** Where no other instance can be at work: a writer of before this process is none any more. */
  async releaseAll(): Promise<void> {
    await this.database.run({ text: `update upload set writer = null, written_until = null where writer is not null`, values: [] });
  }

  private async quotaExceeded(tenant: string, wanted: number): Promise<RuleError> {
    const text = `select (select count(*) from upload where tenant = $1) as uploads, coalesce((select bytes from file_usage where tenant = $1), 0) as bytes`;
    const [row] = await this.database.read<{ uploads: string; bytes: string }>({ text, values: [tenant] });
    const { uploadsPerTenant, bytesPerTenant } = this.limits;
    const message =
      Number(row?.uploads) >= uploadsPerTenant
        ? `the tenant has ${row?.uploads} unfinished uploads, of ${uploadsPerTenant} that it may have`
        : `${wanted} bytes are wanted, and the tenant has ${row?.bytes} of ${bytesPerTenant} that it may have`;
    return new RuleError('FILE_QUOTA_EXCEEDED', message);
  }
}

const uploadBusy = (): RuleError => new RuleError('UPLOAD_BUSY', undefined, { retryAfterSeconds: 1 });

const toUpload = (tenant: string, row: UploadRow): Upload => ({
  tenant,
  id: row.id,
  filename: row.filename,
  contentType: row.content_type,
  totalSize: row.total_size === null ? undefined : Number(row.total_size),
  sha256: row.sha256 ?? undefined,
  object: { id: row.id, size: Number(row.received), state: row.object_state },
  expiresAt: row.expires_at,
});
