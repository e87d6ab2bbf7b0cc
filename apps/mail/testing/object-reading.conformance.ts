import type { StoredObject } from '../src/files/object.store';
import { bytes, expectSame, newObject, reasonOf, type StoreUnderTest } from './store-under-test';

export function describeReading(subject: StoreUnderTest): void {
  describe('reading', () => {
    const content = bytes(1_500_000);
    let object: StoredObject;
    beforeAll(async () => {
      object = await subject.kept(content);
    });

    test.each([
      [0, 1],
      [0, 0],
      [1_500_000, 0],
      [1_499_999, 1],
      [262_143, 3],
      [262_144, 262_144],
      [5, 1_499_990],
      [700_000, 800_000],
    ])('from %i on, %i bytes', async (offset, length) => {
      expectSame(await subject.read(object, offset, length), content.subarray(offset, offset + length));
    });

    test('through another instance', async () => {
      expectSame(await subject.read(object, 0, object.size, subject.another()), content);
    });

    test('many at once, each left when it has had enough', async () => {
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          for await (const piece of subject.store.read(object, i * 1000, 1_400_000)) {
            expectSame(piece, content.subarray(i * 1000, i * 1000 + piece.length));
            return;
          }
        }),
      );
      expectSame(await subject.read(object), content);
    });

    test('of an object that is not there: lost', async () => {
      expect(await reasonOf(subject.read({ ...newObject(), size: 10 }))).toBe('CONTENT_LOST');
    });

    test('of more than there is: what there is, then lost, never a short end', async () => {
      const read: Buffer[] = [];
      const reading = async () => {
        for await (const piece of subject.store.read(object, 1_000_000, 500_001)) read.push(piece);
      };
      expect(await reasonOf(reading())).toBe('CONTENT_LOST');
      expectSame(Buffer.concat(read), content.subarray(1_000_000));
    });

    test('an error names no path, key or host', async () => {
      const lost = await subject.read({ ...newObject(), size: 10 }).catch((error: unknown) => error as Error);
      expect((lost as Error).message).toBe('The store no longer has the bytes of this file.');
      expect((lost as Error).cause).toBeDefined();
    });
  });
}
