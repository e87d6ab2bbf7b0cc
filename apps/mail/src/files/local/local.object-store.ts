import { access, type FileHandle, open, rename, stat } from 'node:fs/promises';
import { ObjectStore, type ObjectState, type ObjectWriter, type StoredObject } from '../object.store';
import { contentLost } from '../store-error';
import { FILE_MODE, isMissing, makeFolder, removeFile, syncFolder } from './durable-files';
import { fileError, LocalObjectWriter } from './local-object.writer';
import { LocalPaths } from './local-paths';

const CHECKPOINT_BYTES = 32 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

/**
 * Keeps each object in a file: in `incoming` while it is written, under `objects` once it is sealed. The folder itself is
 * made by LocalStoreIdentity, and never here: what is missing may only be not mounted.
 */
export class LocalObjectStore extends ObjectStore {
  private readonly paths: LocalPaths;

  /** @param checkpointBytes so many that making them durable costs little beside writing them */
  constructor(
    folder: string,
    readonly checkpointBytes = CHECKPOINT_BYTES,
  ) {
    super();
    this.paths = new LocalPaths(folder);
  }

  async open(object: StoredObject): Promise<ObjectWriter> {
    return this.told(async () => new LocalObjectWriter(await this.opened(object), object.size, this.paths.incomingFolder));
  }

  async seal(object: StoredObject): Promise<ObjectState> {
    const { paths } = this;
    return this.told(async () => {
      if (await this.isSealed(object)) {
        await syncFolder(paths.shardFolder(object.id));
        return {};
      }
      const file = await this.opened(object);
      try {
        await file.datasync();
      } finally {
        await file.close();
      }
      await makeFolder(paths.objectsFolder);
      await makeFolder(paths.shardFolder(object.id));
      await rename(paths.incoming(object.id), paths.sealed(object.id));
      await syncFolder(paths.shardFolder(object.id));
      await syncFolder(paths.incomingFolder);
      return {};
    });
  }

  async *read(object: StoredObject, offset: number, length: number): AsyncGenerator<Buffer, void, undefined> {
    const file = await this.told(() => this.openSealed(object.id));
    try {
      for (let read = 0; read < length;) {
        const piece = await this.told(() => readPiece(file, offset + read, Math.min(PIECE_BYTES, length - read)));
        read += piece.length;
        yield piece;
      }
    } finally {
      await file.close();
    }
  }

  async remove({ id }: Pick<StoredObject, 'id'>): Promise<void> {
    await this.told(async () => {
      const were = [await removeFile(this.paths.incoming(id)), await removeFile(this.paths.sealed(id))];
      if (!were.includes(true)) await this.checkFolder();
    });
  }

  private async isSealed({ id, size }: StoredObject): Promise<boolean> {
    try {
      return (await stat(this.paths.sealed(id))).size === size;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  }

  private async openSealed(id: string): Promise<FileHandle> {
    try {
      return await open(this.paths.sealed(id), 'r');
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.checkFolder();
      throw contentLost(error);
    }
  }

  /** The file of an object to be written, cut down to the last checkpoint. */
  private async opened({ id, size }: StoredObject): Promise<FileHandle> {
    const file = await this.openIncoming(id, size === 0);
    try {
      const there = (await file.stat()).size;
      if (there < size) throw contentLost(new Error(`${there} of ${size} bytes are there`));
      await file.truncate(size);
      return file;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private async openIncoming(id: string, mayBeNew: boolean): Promise<FileHandle> {
    const path = this.paths.incoming(id);
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    await this.checkFolder();
    await makeFolder(this.paths.incomingFolder);
    try {
      // It was sealed, and that was not recorded.
      await rename(this.paths.sealed(id), path);
      return await open(path, 'r+');
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (!mayBeNew) throw contentLost(error);
      return open(path, 'wx+', FILE_MODE);
    }
  }

  /** Before something is called lost, or made anew: whether this is the folder at all. */
  private async checkFolder(): Promise<void> {
    await access(this.paths.storeId);
  }

  private async told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(error);
    }
  }
}

/** Memory of its own, which goes as soon as the piece does. @returns one byte at least */
async function readPiece(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(length), 0, length, position);
  if (bytesRead === 0) throw contentLost(new Error(`the file ends at ${position}`));
  return buffer.subarray(0, bytesRead);
}
