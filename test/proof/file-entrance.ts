import type { FileContent } from './file-content';

/** A wire by which files go in and out. */
export interface FileEntrance {
  readonly name: string;
  /** @returns its file_id */
  upload(content: FileContent): Promise<string>;
  /** No more is read than is asked for. Leaving the loop ends the download. */
  download(fileId: string): AsyncIterable<Buffer>;
}
