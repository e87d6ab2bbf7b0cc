import { randomInt } from 'node:crypto';
import { asKept, bytes, expectSame, newObject, randomPieces, reasonOf, type StoreUnderTest } from './store-under-test';

export function describeResuming(subject: StoreUnderTest): void {
  describe('going on', () => {
    test('after checkpoints at odd places, in another instance each time', async () => {
      const part = subject.store.checkpointBytes;
      const content = bytes(2 * part + 12_345);
      const ends = [0, 1, 1, 70_000, part - 1, part, part + 1, part + 2, 2 * part - 1, 2 * part + 7, content.length];
      let object = newObject();
      for (const end of ends) {
        object = await subject.append(object, randomPieces(content.subarray(object.size, end)), subject.another());
        expect(object.size).toBe(end);
      }
      expectSame(await subject.read(await subject.sealed(object)), content);
    });

    test('in many small streams with a checkpoint each', async () => {
      const content = bytes(100_000);
      let object = newObject();
      while (object.size < content.length) {
        const end = Math.min(object.size + randomInt(1, 8000), content.length);
        object = await subject.append(object, [content.subarray(object.size, end)]);
      }
      expectSame(await subject.read(await subject.sealed(object)), content);
    });

    test('after a stream that had no checkpoint: nothing of it is there', async () => {
      const object = newObject();
      const writer = await subject.store.open(object);
      await writer.write(bytes(50_000));
      await writer.close();
      const content = bytes(40_000);
      expectSame(await subject.read(await subject.sealed(await subject.append(object, [content]))), content);
    });

    test.each([10, 3_000_000, 'a part and 10'] as const)('after a crash %s bytes behind the checkpoint, with other bytes', async (far) => {
      const part = subject.store.checkpointBytes;
      const kept = bytes(part + 100);
      const object = await subject.append(newObject(), [kept]);
      const crashed = await subject.another().open(object);
      await crashed.write(bytes(far === 'a part and 10' ? part + 10 : far));
      // The checkpoint was made, and its answer lost; the writer is still there, and writes no more.
      await crashed.checkpoint();

      const rest = bytes(1000);
      const whole = await subject.append(object, [rest], subject.another());
      expectSame(await subject.read(await subject.sealed(whole)), Buffer.concat([kept, rest]));
      await crashed.close();
    });

    test('after a crash in the middle of everything', async () => {
      const part = subject.store.checkpointBytes;
      const content = bytes(part + 500_000);
      let object = newObject();
      for (let round = 0; round < 5; round++) {
        const crashed = await subject.another().open(object);
        const end = Math.floor(((round + 1) * content.length) / 5);
        await crashed.write(Buffer.from(content.subarray(object.size, end)));
        const state = asKept(await crashed.checkpoint());
        // Asked for, and nobody waits for it.
        await crashed.write(bytes(round * 300_000));
        crashed.checkpoint().catch(() => undefined);
        await crashed.close();
        object = { ...object, size: end, state };
      }
      expectSame(await subject.read(await subject.sealed(object)), content);
    });

    test('a checkpoint of nothing new is the same', async () => {
      const content = bytes(1234);
      const object = await subject.append(newObject(), [content]);
      const again = await subject.append(await subject.append(object, []), []);
      expect(again).toEqual(object);
      expectSame(await subject.read(await subject.sealed(again)), content);
    });

    test('where less is there than the checkpoint says: lost', async () => {
      for (const size of [10, 3 * subject.store.checkpointBytes]) {
        const object = await subject.append(newObject(), [bytes(size)]);
        await subject.store.remove(object);
        expect(await reasonOf(subject.store.open(object))).toBe('CONTENT_LOST');
        expect(await reasonOf(subject.store.seal(object))).toBe('CONTENT_LOST');
      }
    });
  });
}
