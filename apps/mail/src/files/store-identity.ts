/** Which store it is, so that the files of a database are never looked for, or written, in another one. */
export abstract class StoreIdentity {
  abstract readonly kind: 'local' | 's3';

  /** undefined: no files were ever kept there. */
  abstract found(): Promise<string | undefined>;

  /** Makes a store of it, where it is none. */
  abstract established(): Promise<string>;

  /** In words: what differs, which settings that is about. */
  abstract difference(recorded: string, found: string | undefined): string;
}

export interface RecordedStore {
  kind: string;
  identity: string;
}

/** Where the database keeps which store it belongs to. */
export interface StoreRecord {
  read(): Promise<RecordedStore | undefined>;
  /** What is recorded already stays. @returns what is recorded now */
  record(store: RecordedStore): Promise<RecordedStore>;
}

/** The settings lead to another store than the one that has this database's files. */
export class OtherStoreError extends Error {
  constructor(difference: string) {
    super(
      `the files of this database are in another store: ${difference}. ` +
        'If they were moved by hand, delete the row of the table object_store, and start again',
    );
    this.name = new.target.name;
  }
}

/**
 * Before the store is used: it must be the one that the database knows; the first one becomes so.
 * @throws OtherStoreError
 */
export async function checkStore(store: StoreIdentity, record: StoreRecord): Promise<void> {
  const known = await record.read();
  // Asked, not made: a folder that should have files, and is empty, must stay as it is.
  const mine = known ? await store.found() : await store.established();
  const recorded = known ?? (await record.record({ kind: store.kind, identity: mine! }));
  if (recorded.kind !== store.kind) throw new OtherStoreError(`FILES_STORE is ${store.kind}, and was ${recorded.kind}`);
  if (recorded.identity !== mine) throw new OtherStoreError(store.difference(recorded.identity, mine));
}
