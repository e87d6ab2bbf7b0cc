import { createHash, randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestDatabase } from './test-database';

export interface PlantedFile {
  id: string;
  /** As callers name it. */
  fileId: string;
  content: Buffer;
  /** Where FILES_STORE=local keeps its bytes. */
  path: string;
}

/** Files that are there before a test begins, put where FILES_STORE=local would have put them. */
export class PlantedFiles {
  constructor(
    private readonly database: TestDatabase,
    private readonly folder: string,
  ) {}

  async add(content: Buffer, { tenant = 'acme', filename = 'file.bin', contentType = 'application/x-test' } = {}): Promise<PlantedFile> {
    const [id, objectId] = [randomUUID(), randomUUID()];
    const sha256 = createHash('sha256').update(content).digest();
    const path = join(this.folder, 'objects', objectId.slice(-2), objectId);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await this.database.query(
      `with stored as (insert into content (tenant, sha256, size, object_id, object_state) values ($1, $2, $3, $4, '{}') on conflict do nothing)
       insert into file (tenant, id, filename, content_type, size, sha256, created_at, implicit) values ($1, $5, $6, $7, $3, $2, now(), false)`,
      [tenant, sha256, content.length, objectId, id, filename, contentType],
    );
    return { id, fileId: `file_${id}`, content, path };
  }

  /** An upload that waits for more. */
  async addUpload(tenant = 'acme'): Promise<string> {
    const id = randomUUID();
    await this.database.query(
      `insert into upload (tenant, id, filename, content_type, charged, expires_at) values ($1, $2, 'u', 'text/plain', 0, now() + interval '1 day')`,
      [tenant, id],
    );
    return `file_${id}`;
  }
}
