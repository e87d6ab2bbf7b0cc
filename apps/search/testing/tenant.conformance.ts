import { PositionLostError, type Answer } from '../src/engines/search.engine';
import { deleted, type DocumentParts, type EngineUnderTest, idsOf, indexed } from './engine-under-test';

const documentsOf = (mark: string): DocumentParts[] => [
  ...Array.from({ length: 10 }, (_, i) => ({
    id: `same-${i}`,
    title: `harbour ${mark}`,
    content: `harbour and ${mark}`,
    url: `/${mark}/${i}`,
    attributes: { from: [`${mark}@example.com`], status: [mark], tag: ['shared'] },
    timestamp: i,
  })),
  { id: `only-${mark}`, title: `harbour only ${mark}`, attributes: { tag: ['shared'] } },
];

export function describeTenants(subject: EngineUnderTest): void {
  describe('tenants', () => {
    const tenants = { crimson: subject.newTenant(), azure: subject.newTenant() };
    beforeAll(async () => {
      await subject.add(tenants.crimson, documentsOf('crimson'));
      await subject.add(tenants.azure, documentsOf('azure'));
    });
    const expectNothingOf = (mark: string, answer: Answer) => {
      expect(JSON.stringify({ ...answer, hits: answer.hits.map(({ position, ...hit }) => hit) })).not.toContain(mark);
    };

    test.each(['harbour', '', 'harb*', 'tag:shared', 'harbour -nowhere', 'harbou~', 'harbour OR other'])(
      '%j finds the own ones only',
      async (q) => {
        const asked = q.startsWith('tag:') ? { filters: [q] } : { q };
        for (const [mine, other] of [
          ['crimson', 'azure'],
          ['azure', 'crimson'],
        ] as const) {
          const answer = await subject.search(tenants[mine], { ...asked, facets: ['status', 'from', 'tag', 'kind'] });
          expect(answer).toMatchObject({ total: 11, more: false });
          expect(answer.facets[3]?.values).toEqual([{ value: 'document', count: 11 }]);
          expectNothingOf(other, answer);
        }
      },
    );

    test.each(['azure', 'from:azure', 'azu*', 'azurre~', 'body:azure', 'subject:"only azure"'])(
      'words of the other one find nothing: %s',
      async (q) => {
        const { hits, total, more, facets } = await subject.search(tenants.crimson, { q, facets: ['status'] });
        expect({ hits, total, more, facets }).toEqual({ hits: [], total: 0, more: false, facets: [{ field: 'status', values: [] }] });
      },
    );

    test('ids of the other one are not there', async () => {
      const kinds = ['email', 'document'] as const;
      expect(await subject.engine.findable(tenants.crimson, kinds, ['only-azure', 'only-crimson', 'same-1'])).toEqual(
        new Set(['only-crimson', 'same-1']),
      );
      expect(await subject.ids(tenants.crimson, { filters: ['id:only-azure'] })).toEqual([]);
      const { hits } = await subject.search(tenants.crimson, { filters: ['id:same-1'] });
      expect(hits).toMatchObject([{ id: 'same-1', title: 'harbour crimson', url: '/crimson/1' }]);
    });

    test('a position of the other one shows nothing of it', async () => {
      const first = await subject.search(tenants.crimson, { q: 'harbour', sort: 'newest', limit: 3 });
      const after = first.hits.at(-1)?.position;
      const answer = await subject.search(tenants.azure, { q: 'harbour', sort: 'newest', after }).catch((error: unknown) => error);
      if (answer instanceof Error) expect(answer).toBeInstanceOf(PositionLostError);
      else {
        expectNothingOf('crimson', answer as Answer);
        expect(idsOf(answer as Answer).filter((id) => !id.startsWith('same-') && id !== 'only-azure')).toEqual([]);
      }
    });

    test('writes and deletions change the own document alone', async () => {
      const own = { one: subject.newTenant(), two: subject.newTenant() };
      const changes = [own.one, own.two].map((tenant) => indexed(tenant, { id: 'd', title: 'first', version: 5 }));
      // In one write, as documents of several callers come together.
      expect(await subject.write(changes)).toEqual(['created', 'created']);
      expect(await subject.write([deleted(own.one, 'd', 9), indexed(own.two, { id: 'd', title: 'second', version: 6 })])).toEqual([
        'deleted',
        'updated',
      ]);
      expect(await subject.found(own.one)).toEqual([]);
      expect((await subject.search(own.two)).hits).toMatchObject([{ id: 'd', title: 'second' }]);
      expect(await subject.write([deleted(own.one, 'other', 9), indexed(own.two, { id: 'other', version: 1 })])).toEqual([
        'unchanged',
        'created',
      ]);
    });

    test('names of tenants and ids cannot be put together to mean another document', async () => {
      const base = subject.newTenant();
      const pairs = [
        [base, 'a:b'],
        [`${base}:a`, 'b'],
        [`${base}/a`, 'b'],
        [base, 'a/b'],
        [`${base}|a`, 'b'],
        [base, 'a|b'],
        [`${base} a`, 'b'],
        [base, 'a b'],
        [`${base}*`, 'b'],
        [base.toUpperCase(), 'a:b'],
        [base, 'A:B'],
      ] as const;
      for (const [tenant, id] of pairs) await subject.add(tenant, [{ id, title: `${tenant} with ${id}` }]);
      for (const [tenant, id] of pairs) {
        const { hits } = await subject.search(tenant, { filters: [], where: { kind: 'equals', field: 'id', values: [id] } });
        expect(hits.map(({ title }) => title)).toEqual([`${tenant} with ${id}`]);
      }
    });

    test('a tenant that nobody wrote for has nothing', async () => {
      const answer = await subject.search(subject.newTenant(), { facets: ['tag', 'kind'] });
      expect(answer).toMatchObject({ hits: [], total: 0, more: false, totalIsLowerBound: false });
      expect(answer.facets).toEqual([
        { field: 'tag', values: [] },
        { field: 'kind', values: [] },
      ]);
    });
  });

  describe('kinds', () => {
    const tenant = subject.newTenant();
    beforeAll(() =>
      subject.add(tenant, [
        { id: 'msg_1', kind: 'email', title: 'harbour', attributes: { tag: ['mail'] } },
        { id: 'msg_2', kind: 'email', title: 'harbour secret', attributes: { tag: ['mail'] } },
        { id: 'doc', kind: 'document', title: 'harbour', attributes: { tag: ['document'] } },
      ]),
    );

    test.each([
      [['email'], ['msg_1', 'msg_2']],
      [['document'], ['doc']],
      [
        ['email', 'document'],
        ['doc', 'msg_1', 'msg_2'],
      ],
    ] as const)('only %j are found, counted and findable', async (kinds, ids) => {
      const answer = await subject.search(tenant, { q: 'harbour', kinds, facets: ['kind', 'tag'] });
      expect(idsOf(answer).sort()).toEqual([...ids]);
      expect(answer.total).toBe(ids.length);
      expect(answer.facets[0]?.values.map(({ value }) => value).sort()).toEqual([...kinds].sort());
      expect(answer.facets[1]?.values).toHaveLength(kinds.length);
      expect(await subject.found(tenant, { kinds })).toEqual([...ids]);
      expect([...(await subject.engine.findable(tenant, kinds, ['msg_1', 'msg_2', 'doc']))].sort()).toEqual([...ids]);
      for (const hit of answer.hits) expect(hit.kind).toBe(hit.id.startsWith('msg_') ? 'email' : 'document');
    });

    test('asking for more does not widen what may be seen', async () => {
      const kinds = ['document'] as const;
      for (const asked of [{ filters: ['kind:email'] }, { filters: ['id:msg_1'] }, { q: 'secret' }, { filters: ['tag:mail'] }]) {
        expect(await subject.search(tenant, { ...asked, kinds, facets: ['tag'] })).toMatchObject({
          hits: [],
          total: 0,
          facets: [{ values: [] }],
        });
      }
      expect(await subject.ids(tenant, { q: '-nowhere OR secret', kinds })).toEqual(['doc']);
    });
  });
}
