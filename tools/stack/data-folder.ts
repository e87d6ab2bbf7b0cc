import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolderLock } from './data-folder.lock';
import { StartError } from './start-error';

/** The one folder that keeps everything of an embedded stack. */
export class DataFolder {
  readonly postgres: string;
  readonly inbox: string;
  readonly files: string;
  readonly secrets: string;
  readonly logs: string;
  readonly edge: string;
  readonly stackFile: string;

  constructor(readonly path: string) {
    this.postgres = join(path, 'postgres');
    this.inbox = join(path, 'inbox');
    this.files = join(path, 'files');
    this.secrets = join(path, 'secrets');
    this.logs = join(path, 'logs');
    this.edge = join(path, 'edge');
    this.stackFile = join(path, 'stack.json');
  }

  /**
   * Makes the folder and takes it for this process.
   * @throws StartError when it cannot be written or another stack runs on it
   */
  open(): DataFolderLock {
    try {
      mkdirSync(this.path, { recursive: true });
      for (const part of [this.inbox, this.secrets, this.logs]) mkdirSync(part, { recursive: true, mode: 0o700 });
      return DataFolderLock.acquire(this.path);
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw new StartError(
        `The data folder ${this.path} cannot be written (${(error as Error).message}). Set SGE_DATA_DIR to one that can.`,
      );
    }
  }
}
