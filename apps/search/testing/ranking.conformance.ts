import { idsOf, type EngineUnderTest } from './engine-under-test';

export function describeRanking(subject: EngineUnderTest): void {
  describe('order', () => {
    test('the title counts more than an attribute, and that more than the content', async () => {
      const tenant = subject.newTenant();
      await subject.add(tenant, [
        { id: 'a-content', title: 'something else', content: 'harbour', attributes: { from: ['nobody'] }, timestamp: 300 },
        { id: 'b-attribute', title: 'something else', content: 'nothing', attributes: { from: ['harbour'] }, timestamp: 200 },
        { id: 'c-title', title: 'harbour else', content: 'nothing', attributes: { from: ['nobody'] }, timestamp: 100 },
      ]);
      expect(await subject.ids(tenant, 'harbour')).toEqual(['c-title', 'b-attribute', 'a-content']);
      expect(await subject.ids(tenant, 'harb*')).toEqual(['c-title', 'b-attribute', 'a-content']);
      expect(await subject.ids(tenant, 'harbour OR unheard')).toEqual(['c-title', 'b-attribute', 'a-content']);
    });

    test('once in the title counts more than several times in the content', async () => {
      const tenant = subject.newTenant();
      const rest = 'a text of some more words that are of no interest to anybody who searches';
      await subject.add(tenant, [
        { id: 'often', title: 'quite something else', content: `harbour harbour harbour ${rest}` },
        { id: 'title', title: 'the harbour plan', content: rest },
      ]);
      expect(await subject.ids(tenant, 'harbour')).toEqual(['title', 'often']);
    });

    test('newer before older where equally relevant, then by id', async () => {
      const tenant = subject.newTenant();
      const same = { title: 'harbour plan', content: 'same' };
      await subject.add(tenant, [
        { id: 'b', ...same, timestamp: 200 },
        { id: 'old', ...same, timestamp: 100 },
        { id: 'a', ...same, timestamp: 200 },
        { id: 'new', ...same, timestamp: 300 },
        { id: 'B', ...same, timestamp: 200 },
      ]);
      const expected = ['new', 'B', 'a', 'b', 'old'];
      expect(await subject.ids(tenant, 'harbour')).toEqual(expected);
      expect(await subject.ids(tenant)).toEqual(expected);
      expect(await subject.ids(tenant, { q: 'harbour', sort: 'newest' })).toEqual(expected);
      expect(await subject.ids(tenant, { q: 'harbour', sort: 'oldest' })).toEqual(['old', 'B', 'a', 'b', 'new']);
    });

    test('newest and oldest do not ask how relevant something is', async () => {
      const tenant = subject.newTenant();
      await subject.add(tenant, [
        { id: 'title', title: 'harbour', timestamp: 100 },
        { id: 'content', content: 'harbour', timestamp: 200 },
        { id: 'both', title: 'harbour', content: 'harbour', timestamp: 50 },
      ]);
      expect(await subject.ids(tenant, { q: 'harbour', sort: 'newest' })).toEqual(['content', 'title', 'both']);
      expect(await subject.ids(tenant, { q: 'harbour', sort: 'oldest' })).toEqual(['both', 'title', 'content']);
    });

    describe('scores', () => {
      const tenant = subject.newTenant();
      beforeAll(() =>
        subject.add(
          tenant,
          Array.from({ length: 30 }, (_, i) => ({
            id: `d${i}`,
            title: i % 3 === 0 ? 'harbour' : 'a much longer title of no relevance',
            content: 'harbour '.repeat(i % 7) + 'and other words '.repeat(i),
            attributes: { status: ['sent'] },
            timestamp: i,
          })),
        ),
      );

      test.each(['harbour', 'harbour words', 'harb*', 'harbour OR words', '"and other"', 'harbour is:sent', 'harbou~', 'title -harbour'])(
        'between 0 and 1, the best first: %s',
        async (query) => {
          const scores = (await subject.search(tenant, query)).hits.map(({ score }) => score);
          expect(scores.length).toBeGreaterThan(0);
          expect(scores.filter((score) => !(score > 0 && score <= 1))).toEqual([]);
          expect(scores).toEqual([...scores].sort((a, b) => b - a));
        },
      );

      test.each(['', 'is:sent', '-nowhere'])('1 where nothing was asked that can be ranked: %s', async (query) => {
        const { hits } = await subject.search(tenant, query);
        expect(hits).toHaveLength(30);
        expect(new Set(hits.map(({ score }) => score))).toEqual(new Set([1]));
      });

      test('the same on every page', async () => {
        const whole = await subject.search(tenant, 'harbour');
        const single = await subject.search(tenant, { q: 'harbour', limit: 1, offset: 7 });
        const next = await subject.search(tenant, { q: 'harbour', limit: 2, after: whole.hits[6]?.position });
        expect(idsOf(single)).toEqual([whole.hits[7]?.id]);
        expect(single.hits[0]?.score).toBe(whole.hits[7]?.score);
        expect(next.hits.map(({ id, score }) => [id, score])).toEqual(whole.hits.slice(7, 9).map(({ id, score }) => [id, score]));
      });
    });
  });
}
