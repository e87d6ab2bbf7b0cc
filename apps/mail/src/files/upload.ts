import type { StoredObject } from './object.store';

/** An upload that is not complete. */
export interface Upload {
  tenant: string;
  /** The object's, and the file's to come. */
  id: string;
  filename: string;
  contentType: string;
  /** undefined: not known yet. */
  totalSize: number | undefined;
  /** What the hash of the whole file must be; undefined: not known yet. */
  sha256: Buffer | undefined;
  /** `size`: what is stored, the offset to go on from. */
  object: StoredObject;
  expiresAt: Date;
}

/** An upload as its owner may ask for it, also when it has become a file. */
export interface UploadProgress extends Pick<Upload, 'id' | 'filename' | 'contentType' | 'totalSize'> {
  received: number;
  complete: boolean;
  /** undefined: it is complete. */
  expiresAt: Date | undefined;
}
