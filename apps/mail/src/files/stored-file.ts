import type { StoredObject } from './object.store';

/** A file that is complete, and where its bytes are. */
export interface StoredFile {
  id: string;
  /** '': it has none. */
  filename: string;
  /** As it was declared. */
  contentType: string;
  size: number;
  sha256: Buffer;
  createdAt: Date;
  object: StoredObject;
}
