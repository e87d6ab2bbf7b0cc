/** Where the bytes of an object are, in its store's own words: JSON, kept in PostgreSQL between two writes. `{}`: nowhere yet. */
export type ObjectState = Readonly<Record<string, unknown>>;

/** One run of bytes, written once from its beginning to its end, then never changed. */
export interface StoredObject {
  /** A UUID, never used again. */
  id: string;
  /** Bytes up to the last checkpoint; of one that is sealed, all of them. */
  size: number;
  /** As the last checkpoint, or the seal, gave it. */
  state: ObjectState;
}

/** Gives an object its bytes, in order. One at a time: who may write is decided in PostgreSQL. */
export interface ObjectWriter {
  /**
   * Takes the next bytes; resolves when more may come, which holds back whoever sends. `data` belongs to the writer from
   * then on. Memory is bounded, however fast it is called.
   * @throws RuleError STORE_FULL, STORE_UNAVAILABLE; from then on every call throws
   */
  write(data: Buffer): Promise<void>;
  /**
   * Makes all that was written before this call durable. More may be written meanwhile, but no other checkpoint be asked for.
   * @returns what to keep beside the number of bytes written before this call, to go on from there after any crash
   * @throws as `write`
   */
  checkpoint(): Promise<ObjectState>;
  /** Lets go of the object, also after an error. What is under no checkpoint is lost. Never rejects. */
  close(): Promise<void>;
}

/**
 * Keeps objects. What there is of which object is told by PostgreSQL alone: a store never guesses, and what PostgreSQL
 * does not know of is removed. Every method can be repeated after a crash at any moment.
 */
export abstract class ObjectStore {
  /** A checkpoint costs least at multiples of so many bytes, counted from the beginning of the object. */
  abstract readonly checkpointBytes: number;

  /**
   * Goes on after `object.size` bytes, the last checkpoint; what was written beyond it is dropped. Also takes an object
   * whose seal was not recorded.
   * @throws RuleError STORE_FULL, STORE_UNAVAILABLE; CONTENT_LOST where less is there than the checkpoint says
   */
  abstract open(object: StoredObject): Promise<ObjectWriter>;

  /**
   * Makes an object of what is under the last checkpoint: whole, durable, to be read from now on. No writer is open. Also
   * takes an object that is sealed.
   * @returns what to keep from now on
   * @throws as `open`
   */
  abstract seal(object: StoredObject): Promise<ObjectState>;

  /**
   * The bytes from `offset` on, `length` of them, of an object that is sealed; in pieces of 256 KiB at most, read when they
   * are asked for. Leaving the loop lets go of everything. Exactly `length` bytes come, or it throws.
   * @throws RuleError STORE_UNAVAILABLE, CONTENT_LOST
   */
  abstract read(object: StoredObject, offset: number, length: number): AsyncGenerator<Buffer, void, undefined>;

  /**
   * Removes whatever there is of an object, sealed or not, recorded or not. One that is not there is no error.
   * @throws RuleError STORE_UNAVAILABLE
   */
  abstract remove(object: Pick<StoredObject, 'id' | 'state'>): Promise<void>;
}
