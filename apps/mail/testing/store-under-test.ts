import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { ObjectStore, StoredObject } from '../src/files/object.store';

export interface StartedStore {
  store: ObjectStore;
  /** A second instance on the same objects, as another process would have it. */
  another: () => ObjectStore;
  /** Names of whatever there is of an object. */
  leftOf: (id: string) => Promise<string[]>;
  close(): Promise<void>;
}

/** The store that the suite runs on, and what every theme does with it. */
export class StoreUnderTest {
  private started: StartedStore | undefined;

  async begin(start: () => Promise<StartedStore>): Promise<void> {
    this.started = await start();
  }

  async end(): Promise<void> {
    await this.started?.close();
  }

  get store(): ObjectStore {
    return this.given.store;
  }

  another(): ObjectStore {
    return this.given.another();
  }

  leftOf(id: string): Promise<string[]> {
    return this.given.leftOf(id);
  }

  private get given(): StartedStore {
    if (!this.started) throw new Error('the store was not started');
    return this.started;
  }

  /** Goes on with an object as one stream does, with a checkpoint at its end. @returns the object as PostgreSQL then has it */
  async append(object: StoredObject, pieces: Iterable<Buffer>, store: ObjectStore = this.store): Promise<StoredObject> {
    const writer = await store.open(object);
    try {
      let { size } = object;
      for (const piece of pieces) {
        size += piece.length;
        await writer.write(Buffer.from(piece));
      }
      return { ...object, size, state: asKept(await writer.checkpoint()) };
    } finally {
      await writer.close();
    }
  }

  async sealed(object: StoredObject, store: ObjectStore = this.store): Promise<StoredObject> {
    return { ...object, state: asKept(await store.seal(object)) };
  }

  /** An object that is whole. */
  async kept(content: Buffer, pieceBytes = 100_000): Promise<StoredObject> {
    return this.sealed(await this.append(newObject(), piecesOf(content, pieceBytes)));
  }

  async read(object: StoredObject, offset = 0, length = object.size - offset, store: ObjectStore = this.store): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of store.read(object, offset, length)) {
      expect(piece.length).toBeGreaterThan(0);
      expect(piece.length).toBeLessThanOrEqual(256 * 1024);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }
}

export const newObject = (): StoredObject => ({ id: randomUUID(), size: 0, state: {} });

/** As it comes back from a column of PostgreSQL. */
export const asKept = <State>(state: State): State => JSON.parse(JSON.stringify(state)) as State;

export const bytes = (length: number): Buffer => randomBytes(length);

export function* piecesOf(content: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += pieceBytes) yield content.subarray(at, at + pieceBytes);
}

/** Pieces of any length, from none to 300 kB. */
export function* randomPieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length;) {
    const length = randomInt(0, 2) === 0 ? randomInt(0, 50) : randomInt(0, 300_000);
    yield content.subarray(at, at + length);
    at += length;
  }
}

/** Jest compares large buffers byte by byte, slowly, and prints them. */
export function expectSame(actual: Buffer, expected: Buffer): void {
  expect(actual.length).toBe(expected.length);
  expect(actual.equals(expected)).toBe(true);
}

export const reasonOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error as { reason?: string }).reason ?? String(error),
  );
