import { type DocumentChange, PositionLostError, type Sort } from '../src/engines/search.engine';
import { type Asked, deleted, type DocumentParts, type EngineUnderTest, idsOf, indexed } from './engine-under-test';

const SORTS: Sort[] = ['relevance', 'newest', 'oldest'];

/** As a caller pages: by the position of the last hit until there is no more. `between` runs after each page. */
async function allPages(subject: EngineUnderTest, tenant: string, asked: Asked, between: (page: number) => Promise<void> = async () => {}) {
  const seen: string[] = [];
  let after: string | undefined;
  for (let page = 0; page < 100; page++) {
    const answer = await subject.search(tenant, { ...asked, after });
    seen.push(...idsOf(answer));
    if (!answer.more) return seen;
    expect(answer.hits).toHaveLength(asked.limit ?? 0);
    after = answer.hits.at(-1)?.position;
    await between(page);
  }
  throw new Error('there was always more');
}

const paged = (i: number, over: Partial<DocumentParts> = {}): DocumentParts => ({
  id: `d${String(i).padStart(3, '0')}`,
  title: i % 4 === 0 ? 'harbour' : `a title of number${i}`,
  content: 'harbour '.repeat((i % 5) + 1) + 'more words '.repeat(i % 3),
  attributes: { status: ['queued'] },
  // Several have the same time, some the same rank, too.
  timestamp: 1000 + ((i * 37) % 50),
  ...over,
});

export function describePaging(subject: EngineUnderTest): void {
  describe('paging', () => {
    const tenant = subject.newTenant();
    beforeAll(() =>
      subject.add(
        tenant,
        Array.from({ length: 100 }, (_, i) => paged(i)),
      ),
    );

    describe.each(SORTS)('by %s', (sort) => {
      test.each([1, 7, 50, 99, 100])('pages of %d are the whole, in its order', async (limit) => {
        if (limit === 1) {
          const whole = await subject.ids(tenant, { q: 'more', sort });
          expect(await allPages(subject, tenant, { q: 'more', sort, limit: 7 })).toEqual(whole);
          return;
        }
        const whole = await subject.ids(tenant, { q: 'harbour', sort });
        expect(whole).toHaveLength(100);
        expect(await allPages(subject, tenant, { q: 'harbour', sort, limit })).toEqual(whole);
      });

      test('offsets are the same order', async () => {
        const whole = await subject.ids(tenant, { q: 'harbour', sort });
        for (const offset of [0, 1, 50, 93]) {
          const { hits, more, total } = await subject.search(tenant, { q: 'harbour', sort, offset, limit: 7 });
          expect(hits.map(({ id }) => id)).toEqual(whole.slice(offset, offset + 7));
          expect({ more, total }).toEqual({ more: offset + 7 < 100, total: 100 });
        }
        expect(await subject.search(tenant, { q: 'harbour', sort, offset: 100 })).toMatchObject({ hits: [], more: false, total: 100 });
        expect(await subject.search(tenant, { q: 'harbour', sort, offset: 10_000 })).toMatchObject({ hits: [], more: false, total: 100 });
      });

      test('nothing to rank is paged as well, and from the middle of a page', async () => {
        const whole = await subject.ids(tenant, { sort });
        expect(await allPages(subject, tenant, { sort, limit: 13 })).toEqual(whole);
        const { hits } = await subject.search(tenant, { sort, limit: 13 });
        expect(await subject.ids(tenant, { sort, after: hits[4]?.position, limit: 3 })).toEqual(whole.slice(5, 8));
      });

      test('pages go on at another instance', async () => {
        const first = await subject.search(tenant, { q: 'harbour', sort, limit: 60 });
        const whole = await subject.ids(tenant, { q: 'harbour', sort });
        await subject.withAnother(async () => {
          expect(await subject.ids(tenant, { q: 'harbour', sort, after: first.hits.at(-1)?.position })).toEqual(whole.slice(60));
        });
      });

      test.each(['harbour', ''])('while others write: nothing twice, nothing missed that stayed as it was (%j)', async (q) => {
        const busy = subject.newTenant();
        await subject.add(
          busy,
          Array.from({ length: 100 }, (_, i) => paged(i)),
        );
        const touched = new Set<string>();
        const write = async (page: number): Promise<void> => {
          const changes: DocumentChange[] = [];
          const change = (i: number, over: Partial<DocumentParts>) => {
            touched.add(paged(i).id);
            changes.push(indexed(busy, paged(i, { version: page + 2, ...over })));
          };
          // New ones that come first, last and in between.
          for (const timestamp of [5000, 1, 1025]) {
            changes.push(indexed(busy, { id: `new-${page}-${timestamp}`, title: 'harbour '.repeat((page % 3) + 1), timestamp }));
          }
          change((page * 3) % 20, { title: 'harbour harbour' });
          change(20 + (page % 20), { title: 'of no interest', content: 'nothing', timestamp: 1 });
          change(40 + (page % 10), { attributes: { status: ['sent'] } });
          const gone = 50 + (page % 10);
          touched.add(paged(gone).id);
          changes.push(deleted(busy, paged(gone).id, page + 2));
          await subject.write(changes);
        };
        const seen = await allPages(subject, busy, { q, sort, limit: 7 }, write);
        expect(seen).toHaveLength(new Set(seen).size);
        const unchanged = Array.from({ length: 100 }, (_, i) => paged(i).id).filter((id) => !touched.has(id));
        expect(unchanged.length).toBeGreaterThan(40);
        expect(unchanged.filter((id) => !seen.includes(id))).toEqual([]);
        // A search that begins now sees it all as it is now.
        const now = await subject.ids(busy, { q, sort, filters: ['status:sent'] });
        expect(now).toHaveLength(10);
      });
    });

    test('total and more', async () => {
      expect(await subject.search(tenant, { q: 'nowhere' })).toMatchObject({ hits: [], more: false, total: 0, totalIsLowerBound: false });
      expect(await subject.search(tenant, { q: 'subject:harbour', limit: 25 })).toMatchObject({ more: false, total: 25 });
      const part = await subject.search(tenant, { q: 'subject:harbour', limit: 24 });
      expect(part).toMatchObject({ more: true, total: 25, totalIsLowerBound: false });
      const rest = await subject.search(tenant, { q: 'subject:harbour', limit: 24, after: part.hits.at(-1)?.position });
      expect(rest).toMatchObject({ more: false, total: 25, totalIsLowerBound: false });
      expect(rest.hits).toHaveLength(1);
      const end = await subject.search(tenant, { q: 'subject:harbour', after: rest.hits.at(-1)?.position });
      expect(end).toMatchObject({ hits: [], more: false, total: 25 });
    });

    const positions = [
      'garbage',
      '{}',
      'null',
      '[]',
      '{"pit":"abc","search_after":[1,2,3]}',
      '{"pit":"abc","searchAfter":[1,2,3]}',
      '{"snapshot":"1:1:","rank":0.5,"timestamp":1,"id":"x"}',
      '{"snapshot":"\'; drop table document; --"}',
      '["1:1:",0.5,1,"x"]',
      Buffer.from('{"pit":"abc"}').toString('base64url'),
      '\u0000',
      'é東京🚀',
      'x'.repeat(2000),
    ];
    test.each(positions)('a position that is none is lost: %j', async (after) => {
      await expect(subject.search(tenant, { q: 'harbour', after })).rejects.toThrow(PositionLostError);
    });
    test('a position that was cut or grew is lost', async () => {
      const { hits } = await subject.search(tenant, { q: 'harbour', limit: 5 });
      const position = hits.at(-1)?.position ?? '';
      for (const after of [position.slice(0, position.length >> 1), `x${position}`]) {
        await expect(subject.search(tenant, { q: 'harbour', after })).rejects.toThrow(PositionLostError);
      }
    });

    describe('more than 10,000', () => {
      const large = subject.newTenant();
      const one = (i: number) => indexed(large, { id: `d${i}`, title: 'bulk', attributes: { status: ['sent'] }, timestamp: i });
      beforeAll(async () => {
        for (let at = 0; at < 10_000; at += 2500) {
          await subject.engine.write(Array.from({ length: 2500 }, (_, i) => one(at + i)));
        }
        await subject.engine.publish();
      }, 60_000);

      test('the total is exact up to 10,000, and then a lower bound', async () => {
        for (const q of ['bulk', '', 'is:sent']) {
          expect(await subject.search(large, { q, limit: 1 })).toMatchObject({ total: 10_000, totalIsLowerBound: false, more: true });
        }
        await subject.write([one(10_000)]);
        for (const q of ['bulk', '', 'is:sent']) {
          const { total, totalIsLowerBound } = await subject.search(large, { q, limit: 1 });
          expect({ total, totalIsLowerBound }).toEqual({ total: 10_000, totalIsLowerBound: true });
        }
      });

      test('an offset of 10,000 is answered, and pages go on behind it', async () => {
        await subject.write([one(10_000), one(10_001), one(10_002)]);
        const last = await subject.search(large, { q: 'bulk', sort: 'oldest', offset: 10_000, limit: 2 });
        expect(idsOf(last)).toEqual(['d10000', 'd10001']);
        expect(last.more).toBe(true);
        const end = await subject.search(large, { q: 'bulk', sort: 'oldest', limit: 2, after: last.hits.at(-1)?.position });
        expect(idsOf(end)).toEqual(['d10002']);
        expect(end.more).toBe(false);
      });

      test('facets count all of them', async () => {
        const { facets } = await subject.search(large, { q: 'bulk', limit: 1, facets: ['status', 'kind'] });
        expect(facets.map(({ values }) => values[0]?.count)).toEqual([10_003, 10_003]);
      });
    });
  });
}
