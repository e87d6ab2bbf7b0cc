import type { StoredObject } from '../src/files/object.store';
import { bytes, expectSame, newObject, reasonOf, type StoreUnderTest } from './store-under-test';

export function describeSealing(subject: StoreUnderTest): void {
  const sizes = ['nothing', 'little', 'parts', 'parts and a bit'] as const;
  const contentOf = (size: (typeof sizes)[number]): Buffer => {
    const part = subject.store.checkpointBytes;
    return bytes({ nothing: 0, little: 1000, parts: 2 * part, 'parts and a bit': part + 1000 }[size]);
  };

  describe.each(sizes)('sealing %s', (size) => {
    test('twice, as after a crash, and once more when it was recorded', async () => {
      const content = contentOf(size);
      const object = await subject.append(newObject(), [content]);
      await subject.sealed(object, subject.another());
      const sealed = await subject.sealed(object);
      expectSame(await subject.read(await subject.sealed(sealed)), content);
    });

    test('was not recorded, and the object is opened again: sealed as it was', async () => {
      const content = contentOf(size);
      const object = await subject.append(newObject(), [content]);
      await subject.sealed(object, subject.another());
      const again = await subject.append(object, []);
      expectSame(await subject.read(await subject.sealed(again)), content);
    });

    test('was not recorded, and more comes', async () => {
      const content = contentOf(size);
      const more = bytes(2000);
      let object = await subject.append(newObject(), [content]);
      await subject.sealed(object);
      object = await subject.append(object, [more.subarray(0, 500)]);
      object = await subject.append(object, [more.subarray(500)]);
      expectSame(await subject.read(await subject.sealed(object)), Buffer.concat([content, more]));
    });

    test('drops what is behind the last checkpoint', async () => {
      const content = contentOf(size);
      const object = await subject.append(newObject(), [content]);
      const crashed = await subject.store.open(object);
      await crashed.write(bytes(5000));
      await crashed.checkpoint();
      await crashed.close();
      const sealed: StoredObject = await subject.sealed(object);
      expect(sealed.size).toBe(content.length);
      expectSame(await subject.read(sealed), content);
      expect(await reasonOf(subject.read(sealed, 0, content.length + 1))).toBe('CONTENT_LOST');
    });
  });

  test('sealed without ever being opened: an object of nothing', async () => {
    expectSame(await subject.read(await subject.sealed(newObject())), Buffer.alloc(0));
  });

  test('a sealed object is one thing', async () => {
    const object = await subject.kept(bytes(subject.store.checkpointBytes + 10), 3_000_000);
    expect(await subject.leftOf(object.id)).toHaveLength(1);
  });
}
