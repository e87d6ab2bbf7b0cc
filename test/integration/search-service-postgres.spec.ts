import { runMigrations } from '@sky-genesis/database';
import { searchDatabase } from '../../apps/search/src/database/search-database';
import { readSearchConfig } from '../../apps/search/src/search.config';
import type { RunningService } from '@sky-genesis/service';
import { startSearch } from '../../apps/search/src/start-search';
import { searchEnvironment, SearchServiceClient } from './search-service-client';
import { createDatabase, type TestDatabase } from './test-database';

/** The same app as its configuration makes it, on the embedded engine. */
describe('SearchService on PostgreSQL', () => {
  let database: TestDatabase;
  let search: RunningService;
  let client: SearchServiceClient;
  beforeAll(async () => {
    database = await createDatabase();
    const config = readSearchConfig(await searchEnvironment({ SEARCH_DATABASE_URL: database.url }));
    await runMigrations(searchDatabase({ ...config, SEARCH_DATABASE_URL: database.url }));
    search = await startSearch(config);
    client = new SearchServiceClient(search.grpcUrl);
  });
  afterAll(async () => {
    client?.close();
    await search?.close();
    await database?.drop();
  });

  test('indexes, waits, finds, counts, pages and deletes', async () => {
    const stream = await client.stream();
    stream.send({
      requests: Array.from({ length: 25 }, (_, i) => ({
        requestRef: `r${i}`,
        document: {
          id: `d${i}`,
          title: `Rapport numéro ${i}`,
          attributes: { team: { values: [i % 2 ? 'odd' : 'even'] } },
          timestamp: String(1000 + i),
        },
      })),
    });
    await expect(stream.end()).resolves.toBeNull();
    const first = await client.search({ query: 'rapport numero', facets: ['team'], sort: 'newest', waitForId: 'd24' });
    expect(first).toMatchObject({
      totalCount: 25,
      facets: [
        {
          values: [
            { value: 'even', count: '13' },
            { value: 'odd', count: '12' },
          ],
        },
      ],
    });
    expect(first.results[0]).toMatchObject({ id: 'd24', highlights: [expect.stringContaining('<mark>Rapport</mark>')] });
    const found = first.results.map(({ id }) => id);
    for (let { nextPageToken: pageToken } = first; pageToken !== '';) {
      const page = await client.search({ query: 'rapport numero', sort: 'newest', pageToken });
      found.push(...page.results.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    expect(found).toEqual(Array.from({ length: 25 }, (_, i) => `d${24 - i}`));
    await expect(client.delete({ id: 'd3' })).resolves.toEqual({ deleted: true });
    expect((await client.search({ query: 'rapport', filters: ['id:d3'] })).results).toEqual([]);
  });

  test('a feed’s checkpoint is kept with the documents', async () => {
    const feed = await client.stream({ service: 'mail' });
    const document = { id: 'msg_1', title: 'Mail of a feed' };
    feed.send({ requests: [{ requestRef: 'r', tenant: 'acme', document }], source: 'mail', checkpoint: '7', throughMs: '1700000000000' });
    await expect(feed.end()).resolves.toBeNull();
    expect(feed.sources).toEqual([{ source: 'mail', checkpoint: '7' }]);
    expect(await client.search({ query: 'feed' })).toMatchObject({
      indexedThroughMs: '1700000000000',
      results: [{ id: 'msg_1', kind: 'email' }],
    });
  });
});
