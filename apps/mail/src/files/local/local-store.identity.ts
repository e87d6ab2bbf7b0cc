import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { StoreIdentity } from '../store-identity';
import { isMissing, makeFolders, writeOnce } from './durable-files';
import { LocalPaths } from './local-paths';

/** A folder is known again by a UUID in it: its path may be that of another disk today. */
export class LocalStoreIdentity extends StoreIdentity {
  readonly kind = 'local';
  private readonly paths: LocalPaths;

  constructor(private readonly folder: string) {
    super();
    this.paths = new LocalPaths(folder);
  }

  async found(): Promise<string | undefined> {
    try {
      return (await readFile(this.paths.storeId, 'utf8')).trim();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async established(): Promise<string> {
    const found = await this.found();
    if (found !== undefined) return found;
    await makeFolders(this.folder);
    await writeOnce(this.paths.storeId, `${randomUUID()}\n`);
    return (await this.found())!;
  }

  difference(recorded: string, found: string | undefined): string {
    const why = found === undefined ? 'has no file store-id: it is new, empty, or not mounted' : `has the store-id ${found}`;
    return `FILES_DIR (${this.folder}) ${why}; the store-id must be ${recorded}`;
  }
}
