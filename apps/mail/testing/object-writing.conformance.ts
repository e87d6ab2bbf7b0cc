import { asKept, bytes, expectSame, newObject, piecesOf, randomPieces, type StoreUnderTest } from './store-under-test';

const PIECE = 256 * 1024;

export function describeWriting(subject: StoreUnderTest): void {
  describe('writing', () => {
    test.each([0, 1, 2, PIECE - 1, PIECE, PIECE + 1])('%i bytes are the same bytes', async (length) => {
      const content = bytes(length);
      expectSame(await subject.read(await subject.kept(content)), content);
    });

    test.each([-1, 0, 1])('so are as many as are between two cheap checkpoints, %i', async (more) => {
      const content = bytes(subject.store.checkpointBytes + more);
      expectSame(await subject.read(await subject.kept(content, 1_000_000)), content);
    });

    test('in pieces of any length', async () => {
      const content = bytes(3_000_000);
      const object = await subject.append(newObject(), randomPieces(content));
      expectSame(await subject.read(await subject.sealed(object)), content);
    });

    test('in a single piece that is larger than what is between two cheap checkpoints', async () => {
      const content = bytes(2 * subject.store.checkpointBytes + 5);
      const object = await subject.append(newObject(), [content]);
      expectSame(await subject.read(await subject.sealed(object)), content);
    });

    test('goes on during a checkpoint, which holds what was written before it', async () => {
      const content = bytes(subject.store.checkpointBytes + 3_000_000);
      const object = newObject();
      const writer = await subject.store.open(object);
      const checkpoints: { size: number; state: Promise<object> }[] = [];
      let size = 0;
      for (const piece of piecesOf(content, 400_000)) {
        await writer.write(Buffer.from(piece));
        size += piece.length;
        const before = checkpoints.at(-1);
        if (before && size - before.size < 3_000_000) continue;
        await before?.state;
        checkpoints.push({ size, state: writer.checkpoint() });
      }
      await checkpoints.at(-1)?.state;
      await writer.close();
      // The latest one first: what is beyond a checkpoint is dropped by going on from it.
      for (const { size, state } of checkpoints.reverse().slice(0, 3)) {
        const rest = await subject.append({ ...object, size, state: asKept(await state) as never }, [content.subarray(size)]);
        expect(rest.size).toBe(content.length);
        if (size === checkpoints[2]!.size) expectSame(await subject.read(await subject.sealed(rest)), content);
      }
    });

    test('two objects at once', async () => {
      const contents = [bytes(700_001), bytes(900_003)];
      const objects = await Promise.all(contents.map((content) => subject.append(newObject(), piecesOf(content, 30_000))));
      const sealed = await Promise.all(objects.map((object) => subject.sealed(object)));
      for (const [i, object] of sealed.entries()) expectSame(await subject.read(object), contents[i]!);
    });
  });
}
