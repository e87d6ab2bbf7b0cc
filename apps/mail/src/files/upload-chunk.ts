/** A piece of an upload as its wire gives it, not yet checked: numbers are int64 as decimal text, hashes are hex, '' and 0 mean not given. */
export interface UploadChunk {
  fileId: string;
  filename: string;
  contentType: string;
  offset: string;
  data: Buffer;
  totalSize: string;
  last: boolean;
  sha256: string;
  atomic: boolean;
  commit: boolean;
}

/** What is to be known of a file before its first byte; as UploadChunk. */
export type UploadDraft = Pick<UploadChunk, 'filename' | 'contentType' | 'totalSize' | 'sha256'>;

/** An upload as its wire gives it. */
export interface UploadStream {
  /**
   * The next piece; undefined when the client has ended the stream in order.
   * @throws RuleError when it ends in any other way
   */
  read(): Promise<UploadChunk | undefined>;
  /** Tells the client the id of the upload, before anything is answered. */
  begun(fileId: string): void;
}
