import { randomUUID } from 'node:crypto';
import { type EngineUnderTest, indexed, deleted, questionOf } from './engine-under-test';
import { eventually } from '../../../test/eventually';

export function describeFreshness(subject: EngineUnderTest): void {
  describe('what can be found when', () => {
    test('everything that was written, once it is published, at every instance', async () => {
      const tenant = subject.newTenant();
      await subject.withAnother(async (another) => {
        for (let round = 1; round <= 5; round++) {
          await subject.engine.write([
            indexed(tenant, { id: `d${round}`, title: `word${round}` }),
            indexed(tenant, { id: 'd', title: `state${round}`, version: round }),
          ]);
          await subject.engine.publish();
          const { hits } = await another.search(questionOf(tenant, { q: `word${round} OR state${round}` }));
          expect(hits.map(({ id }) => id).sort()).toEqual(['d', `d${round}`]);
          expect(await another.findable(tenant, ['document'], ['d', `d${round}`, `d${round + 1}`])).toEqual(new Set(['d', `d${round}`]));
        }
      });
    });

    test('within a second or so also what nobody published', async () => {
      const tenant = subject.newTenant();
      await subject.engine.write([indexed(tenant, { id: 'd', title: 'alone' })]);
      await eventually(
        () => subject.ids(tenant, 'alone'),
        (ids) => ids.length === 1,
        3000,
      );
    });

    test('many publish at a time: each is answered, and none before it is true', async () => {
      const tenant = subject.newTenant();
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          await subject.engine.write([indexed(tenant, { id: `d${i}`, title: `word${i}` })]);
          await subject.engine.publish();
          expect(await subject.ids(tenant, `word${i}`)).toEqual([`d${i}`]);
        }),
      );
    });

    test('findable: what a search finds, and nothing else', async () => {
      const tenant = subject.newTenant();
      await subject.add(tenant, [{ id: 'here' }, { id: 'gone' }, { id: 'mail', kind: 'email' }]);
      await subject.write([deleted(tenant, 'gone', 2), deleted(tenant, 'never', 2)]);
      const ids = ['here', 'gone', 'never', 'absent', 'mail', 'here'];
      expect(await subject.engine.findable(tenant, ['document'], ids)).toEqual(new Set(['here']));
      expect(await subject.engine.findable(tenant, ['email'], ids)).toEqual(new Set(['mail']));
      expect(await subject.engine.findable(tenant, ['email', 'document'], [])).toEqual(new Set());
      const many = Array.from({ length: 1000 }, (_, i) => `none-${i}`);
      expect(await subject.engine.findable(tenant, ['document'], [...many, 'here'])).toEqual(new Set(['here']));
    });
  });

  describe('checkpoints', () => {
    const mine = async (source: string) => (await subject.engine.checkpoints()).filter((checkpoint) => checkpoint.source === source);

    test('are kept, of each source its latest', async () => {
      const [one, two] = [`one-${randomUUID()}`, `two-${randomUUID()}`];
      expect(await mine(one)).toEqual([]);
      await subject.engine.saveCheckpoint({ source: one, checkpoint: 'a', throughMs: 1000 });
      expect(await mine(one)).toEqual([{ source: one, checkpoint: 'a', throughMs: 1000 }]);
      await subject.engine.saveCheckpoint({ source: one, checkpoint: 'c', throughMs: 3000 });
      await subject.engine.saveCheckpoint({ source: one, checkpoint: 'b', throughMs: 2000 });
      await subject.engine.saveCheckpoint({ source: two, checkpoint: '{"größe":1}', throughMs: 1_800_000_000_000 });
      expect(await mine(one)).toEqual([{ source: one, checkpoint: 'c', throughMs: 3000 }]);
      expect(await mine(two)).toEqual([{ source: two, checkpoint: '{"größe":1}', throughMs: 1_800_000_000_000 }]);
      await subject.withAnother(async (another) => {
        expect(await another.checkpoints()).toEqual(expect.arrayContaining([{ source: one, checkpoint: 'c', throughMs: 3000 }]));
      });
    });

    test('many at a time: the latest stays', async () => {
      const source = `race-${randomUUID()}`;
      const order = Array.from({ length: 20 }, (_, i) => ((i * 7) % 20) + 1);
      await Promise.all(order.map((n) => subject.engine.saveCheckpoint({ source, checkpoint: String(n), throughMs: n })));
      expect(await mine(source)).toEqual([{ source, checkpoint: '20', throughMs: 20 }]);
    });

    test('are no documents', async () => {
      const source = `document-${randomUUID()}`;
      await subject.engine.saveCheckpoint({ source, checkpoint: 'harbour', throughMs: 5 });
      await subject.engine.publish();
      for (const tenant of [source, 'checkpoint', 'undefined', 'null']) {
        expect(await subject.search(tenant)).toMatchObject({ hits: [], total: 0 });
        expect(await subject.engine.findable(tenant, ['document', 'email'], [source, 'harbour'])).toEqual(new Set());
      }
    });
  });

  describe('a search that nobody waits for', () => {
    test('ends', async () => {
      const tenant = subject.newTenant();
      await subject.add(tenant, [{ id: 'd', title: 'harbour' }]);
      await expect(subject.search(tenant, { q: 'harbour', signal: AbortSignal.abort() })).rejects.toThrow();
      const searches = Array.from({ length: 30 }, (_, i) => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), i % 5);
        return subject.search(tenant, { q: 'harb*', signal: controller.signal }).then(
          ({ total }) => total,
          () => 'ended',
        );
      });
      expect((await Promise.all(searches)).filter((outcome) => outcome !== 1 && outcome !== 'ended')).toEqual([]);
      expect(await subject.ids(tenant, 'harbour')).toEqual(['d']);
    });

    test('pings and prepares as often as one likes', async () => {
      await subject.engine.ping();
      await subject.engine.prepare();
      await subject.engine.ping();
    });
  });
}
