import type { EngineUnderTest } from './engine-under-test';

export function describeFacets(subject: EngineUnderTest): void {
  describe('facets', () => {
    const tenant = subject.newTenant();
    beforeAll(() =>
      subject.add(
        tenant,
        Array.from({ length: 60 }, (_, i) => ({
          id: `d${i}`,
          kind: i % 10 === 0 ? ('email' as const) : ('document' as const),
          title: i < 40 ? 'harbour' : 'mountain',
          attributes: {
            status: [i % 3 === 0 ? 'sent' : i % 3 === 1 ? 'failed' : 'delivered'],
            number: [String(i % 30)],
            tag: i % 2 === 0 ? ['even', 'all'] : ['all', 'all'],
            ...(i === 0 && { single: ['<script>', 'Straße', 'strasse', ' '] }),
          },
        })),
      ),
    );
    const valuesOf = async (asked: object, field: string) =>
      (await subject.search(tenant, { facets: [field], limit: 1, ...asked })).facets.find((facet) => facet.field === field)?.values;

    test('none asked, none given', async () => {
      expect((await subject.search(tenant)).facets).toEqual([]);
    });
    test('counts of everything found, not only of the page; equally frequent ones by value', async () => {
      expect(await valuesOf({}, 'status')).toEqual([
        { value: 'delivered', count: 20 },
        { value: 'failed', count: 20 },
        { value: 'sent', count: 20 },
      ]);
    });
    test('only of what is found', async () => {
      expect(await valuesOf({ q: 'harbour' }, 'status')).toEqual(
        [
          { value: 'sent', count: 14 },
          { value: 'failed', count: 13 },
          { value: 'delivered', count: 13 },
        ].sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)),
      );
      expect(await valuesOf({ q: 'harbour -is:sent' }, 'tag')).toEqual([
        { value: 'all', count: 26 },
        { value: 'even', count: 13 },
      ]);
    });
    test('a document counts once for each of its values', async () => {
      expect(await valuesOf({}, 'tag')).toEqual([
        { value: 'all', count: 60 },
        { value: 'even', count: 30 },
      ]);
    });
    test('20 values at most', async () => {
      const values = await valuesOf({}, 'number');
      const first = Array.from({ length: 30 }, (_, i) => String(i))
        .sort()
        .slice(0, 20);
      expect(values).toEqual(first.map((value) => ({ value, count: 2 })));
    });
    test('values as they were given, in order of their characters', async () => {
      expect(await valuesOf({}, 'single')).toEqual([' ', '<script>', 'Straße', 'strasse'].map((value) => ({ value, count: 1 })));
    });
    test('the kind is a facet', async () => {
      expect(await valuesOf({}, 'kind')).toEqual([
        { value: 'document', count: 54 },
        { value: 'email', count: 6 },
      ]);
      expect(await valuesOf({ kinds: ['email'] }, 'kind')).toEqual([{ value: 'email', count: 6 }]);
    });
    test('in the order asked for, also those that nothing has', async () => {
      const { facets } = await subject.search(tenant, { facets: ['tag', 'nowhere', 'kind', 'status'] });
      expect(facets.map(({ field }) => field)).toEqual(['tag', 'nowhere', 'kind', 'status']);
      expect(facets[1]?.values).toEqual([]);
    });
    test('the same on every page', async () => {
      const expected = await valuesOf({ q: 'harbour' }, 'status');
      const first = await subject.search(tenant, { q: 'harbour', limit: 5 });
      expect(await valuesOf({ q: 'harbour', limit: 5, offset: 20 }, 'status')).toEqual(expected);
      expect(await valuesOf({ q: 'harbour', limit: 5, after: first.hits.at(-1)?.position }, 'status')).toEqual(expected);
    });
    test.each(['a.b', 'constructor', '__proto__', "x'); --", '$.a[*]', '_id', 'tenant'])('the name %s is only a name', async (name) => {
      const { facets, total } = await subject.search(tenant, { facets: [name] });
      expect(facets).toEqual([{ field: name, values: [] }]);
      expect(total).toBe(60);
    });
  });
}
