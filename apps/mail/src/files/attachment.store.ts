import { Injectable } from '@nestjs/common';
import { DatabaseClient } from '@sky-genesis/database';
import type { ObjectState, StoredObject } from './object.store';

/** A mail's attachment: its bytes are in the store, or so few that they stand beside the mail. */
export interface StoredAttachment {
  filename: string;
  contentType: string;
  /** undefined: it was not stored as a file. */
  fileId: string | undefined;
  body: { content: Buffer } | { object: StoredObject; sha256: Buffer };
}

interface AttachmentRow {
  filename: string;
  content_type: string;
  content: Buffer | null;
  file_id: string | null;
  sha256: Buffer;
  size: string;
  object_id: string;
  object_state: ObjectState;
}

@Injectable()
export class AttachmentStore {
  constructor(private readonly database: DatabaseClient) {}

  /** undefined: the tenant has no such mail, or the mail no such attachment. */
  async find(tenant: string, emailId: string, index: number): Promise<StoredAttachment | undefined> {
    const text = `
      select a.filename, a.content_type, a.content, a.file_id, a.sha256, a.size, c.object_id, c.object_state
      from attachment a left join content c using (tenant, sha256) where a.tenant = $1 and a.email_id = $2 and a.position = $3`;
    const [row] = await this.database.read<AttachmentRow>({ name: 'attachment-find', text, values: [tenant, emailId, index] });
    if (!row) return undefined;
    const object = { id: row.object_id, size: Number(row.size), state: row.object_state };
    return {
      filename: row.filename,
      contentType: row.content_type,
      fileId: row.file_id ?? undefined,
      body: row.content ? { content: row.content } : { object, sha256: row.sha256 },
    };
  }
}
