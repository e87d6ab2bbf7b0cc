/** Each is a way that an upload may go; a plan draws one. */
export const wayNames = ['gRPC', 'gRPC after CreateUpload', 'tus', 'tus with checksums', 'POST'] as const;
export type WayName = (typeof wayNames)[number];

/** What a client of its own process is to do: one line of JSON. */
export interface UploadJob {
  way: WayName;
  /** Of mail, for gRPC. */
  address: string;
  gateway: string;
  token: string;
  /** The file that has the bytes. */
  path: string;
  size: number;
  filename: string;
  /** Whether the size is said before the last byte. */
  announced: boolean;
  /** Of an upload that was begun by a client before; '': there is none. */
  fileId: string;
  bytesPerSecond: number;
  /** Of one PATCH, at most. */
  pieceBytes: number;
}

/** What a client says while it works, a line of JSON each. */
export type Told =
  /** It has started. */
  | { kind: 'up' }
  | { kind: 'begun'; fileId: string }
  /** The bytes from here on are sent now. */
  | { kind: 'goes on'; from: number }
  /** All before this byte has left for the system's sockets. */
  | { kind: 'sent'; to: number }
  /** An answer said that so many bytes are stored. */
  | { kind: 'promised'; bytes: number }
  | { kind: 'failed'; reason: string }
  | ({ kind: 'done' } & Done);

export type Tell = (told: Told) => void;

/** `sha256`: as the answer said it; some do not. */
export interface Done {
  fileId: string;
  sha256?: string;
}

export interface UploadWay {
  /**
   * Begins, or goes on from what the server has.
   * @throws UploadFailure when it is to be tried again
   */
  attempt(): Promise<Done>;
}

/** `reason`: the product's own word, the same on both wires, or the system's (ECONNRESET) where it did not answer. */
export class UploadFailure extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}
