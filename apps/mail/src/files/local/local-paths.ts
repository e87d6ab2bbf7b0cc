import { join } from 'node:path';
import { checkObjectId } from '../object-id';

/** Where what is in the folder of LocalObjectStore. */
export class LocalPaths {
  /** What is being written. */
  readonly incomingFolder: string;
  readonly objectsFolder: string;
  /** By this file the folder is known again. Where it is missing, the folder is another one: a disk that is not mounted. */
  readonly storeId: string;

  constructor(readonly folder: string) {
    this.incomingFolder = join(folder, 'incoming');
    this.objectsFolder = join(folder, 'objects');
    this.storeId = join(folder, 'store-id');
  }

  incoming(id: string): string {
    return join(this.incomingFolder, checkObjectId(id));
  }

  /** 256 of them, by the end of the id: its beginning is the time. */
  shardFolder(id: string): string {
    return join(this.objectsFolder, checkObjectId(id).slice(-2));
  }

  sealed(id: string): string {
    return join(this.shardFolder(id), id);
  }
}
