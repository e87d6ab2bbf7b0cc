import { type DocumentParts, deleted, type EngineUnderTest, indexed } from './engine-under-test';

export function describeVersions(subject: EngineUnderTest): void {
  describe('versions', () => {
    /** Each call on its own, as they may come from different processes. */
    const writeOne = async (tenant: string, parts: DocumentParts) => (await subject.engine.write([indexed(tenant, parts)]))[0];
    const deleteOne = async (tenant: string, id: string, version: number) =>
      (await subject.engine.write([deleted(tenant, id, version)]))[0];
    const titles = async (tenant: string) => {
      await subject.engine.publish();
      return (await subject.search(tenant)).hits.map(({ id, title }) => `${id}: ${title}`).sort();
    };

    test('a higher version wins, an equal or lower one changes nothing', async () => {
      const tenant = subject.newTenant();
      expect(await writeOne(tenant, { id: 'd', title: 'five', version: 5 })).toBe('created');
      expect(await writeOne(tenant, { id: 'd', title: 'four', version: 4 })).toBe('unchanged');
      expect(await writeOne(tenant, { id: 'd', title: 'five again', version: 5 })).toBe('unchanged');
      expect(await titles(tenant)).toEqual(['d: five']);
      expect(await writeOne(tenant, { id: 'd', title: 'six', version: 6 })).toBe('updated');
      expect(await titles(tenant)).toEqual(['d: six']);
      expect(await writeOne(tenant, { id: 'd', title: 'last', version: 2 ** 53 - 1 })).toBe('updated');
      expect(await writeOne(tenant, { id: 'd', title: 'not', version: 2 ** 53 - 2 })).toBe('unchanged');
      expect(await titles(tenant)).toEqual(['d: last']);
    });

    test('version 0 is the lowest', async () => {
      const tenant = subject.newTenant();
      expect(await writeOne(tenant, { id: 'd', title: 'zero', version: 0 })).toBe('created');
      expect(await writeOne(tenant, { id: 'd', title: 'again', version: 0 })).toBe('unchanged');
      expect(await writeOne(tenant, { id: 'd', title: 'one', version: 1 })).toBe('updated');
      expect(await titles(tenant)).toEqual(['d: one']);
    });

    test('what was replaced is not found any more', async () => {
      const tenant = subject.newTenant();
      const before = { title: 'harbour', content: 'river', attributes: { from: ['alice'], status: ['sent'] } };
      await subject.add(tenant, [{ id: 'd', ...before }]);
      await subject.write([indexed(tenant, { id: 'd', title: 'mountain', attributes: { to: ['bob'] }, version: 2 })]);
      for (const query of ['harbour', 'river', 'alice', 'from:alice', 'is:sent']) expect(await subject.ids(tenant, query)).toEqual([]);
      const { hits, facets } = await subject.search(tenant, { q: 'mountain to:bob', facets: ['status'] });
      expect(hits).toMatchObject([{ id: 'd', title: 'mountain', content: '', attributes: { to: ['bob'] } }]);
      expect(facets).toEqual([{ field: 'status', values: [] }]);
    });

    test('a deletion takes away what is older, and keeps it away', async () => {
      const tenant = subject.newTenant();
      await writeOne(tenant, { id: 'd', title: 'five', version: 5 });
      expect(await deleteOne(tenant, 'd', 4)).toBe('unchanged');
      expect(await deleteOne(tenant, 'd', 5)).toBe('unchanged');
      expect(await titles(tenant)).toEqual(['d: five']);
      expect(await deleteOne(tenant, 'd', 7)).toBe('deleted');
      expect(await titles(tenant)).toEqual([]);
      expect(await deleteOne(tenant, 'd', 8)).toBe('unchanged');
      for (const version of [5, 6, 7, 8]) expect(await writeOne(tenant, { id: 'd', title: 'late', version })).toBe('unchanged');
      expect(await titles(tenant)).toEqual([]);
      expect(await writeOne(tenant, { id: 'd', title: 'nine', version: 9 })).toBe('created');
      expect(await titles(tenant)).toEqual(['d: nine']);
      expect(await subject.ids(tenant, 'nine')).toEqual(['d']);
    });

    test('a deletion of what was never there is remembered', async () => {
      const tenant = subject.newTenant();
      expect(await deleteOne(tenant, 'd', 7)).toBe('unchanged');
      expect(await writeOne(tenant, { id: 'd', title: 'older', version: 6 })).toBe('unchanged');
      expect(await titles(tenant)).toEqual([]);
      expect((await subject.search(tenant)).total).toBe(0);
      expect(await writeOne(tenant, { id: 'd', title: 'newer', version: 8 })).toBe('created');
      expect(await titles(tenant)).toEqual(['d: newer']);
    });

    test('a lower deletion does not shorten the memory of a higher one', async () => {
      const tenant = subject.newTenant();
      await deleteOne(tenant, 'd', 9);
      expect(await deleteOne(tenant, 'd', 3)).toBe('unchanged');
      expect(await writeOne(tenant, { id: 'd', version: 5 })).toBe('unchanged');
    });

    test('one document several times in one write: in that order', async () => {
      const tenant = subject.newTenant();
      const outcomes = await subject.write([
        indexed(tenant, { id: 'd', title: 'two', version: 2 }),
        indexed(tenant, { id: 'other', title: 'beside', version: 1 }),
        indexed(tenant, { id: 'd', title: 'one', version: 1 }),
        indexed(tenant, { id: 'd', title: 'three', version: 3 }),
        deleted(tenant, 'd', 4),
        indexed(tenant, { id: 'd', title: 'late', version: 4 }),
        indexed(tenant, { id: 'd', title: 'five', version: 5 }),
        deleted(tenant, 'none', 1),
      ]);
      expect(outcomes).toEqual(['created', 'created', 'unchanged', 'updated', 'deleted', 'unchanged', 'created', 'unchanged']);
      expect(await titles(tenant)).toEqual(['d: five', 'other: beside']);
    });

    test('nothing to write is written at once', async () => {
      expect(await subject.engine.write([])).toEqual([]);
    });

    test('200 writes in any order end with the highest versions', async () => {
      const tenant = subject.newTenant();
      const changes = Array.from({ length: 200 }, (_, i) => {
        const [id, version] = [`d${i % 10}`, Math.floor(i / 10) + 1];
        // The highest version of d0 to d4 is a document, that of the others a deletion.
        const isDeletion = i % 10 < 5 ? version % 5 === 3 : version % 5 === 0;
        return isDeletion ? deleted(tenant, id, version) : indexed(tenant, { id, title: `version${version}`, version });
      });
      const shuffled = changes.map((change, i) => ({ change, key: (i * 7919 + 13) % 200 })).sort((a, b) => a.key - b.key);
      for (let at = 0; at < 200; at += 8) await subject.engine.write(shuffled.slice(at, at + 8).map(({ change }) => change));
      expect(await titles(tenant)).toEqual([0, 1, 2, 3, 4].map((i) => `d${i}: version20`));
    });

    test('many who write the same documents at a time: the highest version stays', async () => {
      const tenant = subject.newTenant();
      await subject.withAnother(async (another) => {
        const writer = async (number: number) => {
          for (let round = 0; round < 6; round++) {
            const version = round * 8 + ((number * 5) % 8) + 1;
            // Each in an order of its own: a deadlock would show here.
            const ids = Array.from({ length: 12 }, (_, i) => `d${(i * (2 * number + 1) + round) % 12}`).filter(
              (id, i, all) => all.indexOf(id) === i,
            );
            const outcomes = await (number % 2 ? another : subject.engine).write(
              ids.map((id) => indexed(tenant, { id, title: `version${version}`, version })),
            );
            expect(outcomes.filter((outcome) => outcome instanceof Error)).toEqual([]);
          }
        };
        await Promise.all(Array.from({ length: 8 }, (_, number) => writer(number)));
      });
      const found = await titles(tenant);
      expect(found).toHaveLength(new Set(found.map((line) => line.split(':')[0])).size);
      expect(new Set(found.map((line) => line.split(': ')[1]))).toEqual(new Set(['version48']));
    });

    test('deletions are forgotten once they are old enough, and counted', async () => {
      const tenant = subject.newTenant();
      await writeOne(tenant, { id: 'was', version: 5 });
      await deleteOne(tenant, 'was', 7);
      await deleteOne(tenant, 'never', 7);
      await writeOne(tenant, { id: 'stays', version: 5 });
      await subject.engine.publish();
      await subject.engine.forgetDeletions(7);
      expect(await writeOne(tenant, { id: 'was', version: 6 })).toBe('unchanged');
      expect(await writeOne(tenant, { id: 'never', version: 6 })).toBe('unchanged');
      // How soon a lower version is taken again is the engine's own.
      expect(await subject.engine.forgetDeletions(0)).toBeGreaterThanOrEqual(2);
      expect(await subject.engine.forgetDeletions(0)).toBe(0);
      expect(await writeOne(tenant, { id: 'was', title: 'again', version: 9 })).toBe('created');
      expect(await titles(tenant)).toEqual(['stays: ', 'was: again']);
    });
  });
}
