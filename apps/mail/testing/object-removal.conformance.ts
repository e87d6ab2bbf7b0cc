import type { StoredObject } from '../src/files/object.store';
import { bytes, newObject, reasonOf, type StoreUnderTest } from './store-under-test';

export function describeRemoval(subject: StoreUnderTest): void {
  const part = () => subject.store.checkpointBytes;
  const abandoned = async (length: number): Promise<StoredObject> => {
    const object = newObject();
    const writer = await subject.store.open(object);
    await writer.write(bytes(length));
    await writer.checkpoint();
    await writer.close();
    // Its state was never kept.
    return object;
  };
  const stages: [name: string, make: () => Promise<StoredObject>][] = [
    ['that never was', async () => newObject()],
    ['that was opened', () => subject.append(newObject(), [])],
    ['with some bytes', () => subject.append(newObject(), [bytes(1000)])],
    ['with a part', () => subject.append(newObject(), [bytes(part())])],
    ['with parts and some bytes', () => subject.append(newObject(), [bytes(2 * part() + 1000)])],
    ['with tails of several parts', async () => subject.append(await subject.append(newObject(), [bytes(1000)]), [bytes(part())])],
    ['with bytes that nobody knows of', () => abandoned(1000)],
    ['with parts that nobody knows of', () => abandoned(part() + 1000)],
    [
      'whose seal was not recorded',
      async () => {
        const object = await subject.append(newObject(), [bytes(part() + 1000)]);
        await subject.store.seal(object);
        return object;
      },
    ],
    ['that is sealed', () => subject.kept(bytes(1000))],
    ['of nothing that is sealed', () => subject.kept(Buffer.alloc(0))],
    ['of parts that is sealed', () => subject.kept(bytes(part() + 1000))],
  ];

  describe('removing an object', () => {
    test.each(stages)('%s leaves nothing, and can be repeated', async (_, make) => {
      const object = await make();
      const another = await subject.kept(bytes(10));
      await subject.store.remove(object);
      expect(await subject.leftOf(object.id)).toEqual([]);
      await subject.another().remove(object);
      expect(await subject.leftOf(object.id)).toEqual([]);
      expect(await subject.leftOf(another.id)).not.toEqual([]);
    });

    test('what is removed is lost to who reads it', async () => {
      const object = await subject.kept(bytes(1000));
      await subject.store.remove(object);
      expect(await reasonOf(subject.read(object))).toBe('CONTENT_LOST');
    });

    test('while it is written: what the writer then stores is removed by the next time', async () => {
      const object = newObject();
      const writer = await subject.store.open(object);
      await writer.write(bytes(1000));
      await subject.store.remove(object);
      await writer.checkpoint().catch(() => undefined);
      await writer.close();
      await subject.store.remove(object);
      expect(await subject.leftOf(object.id)).toEqual([]);
    });
  });
}
