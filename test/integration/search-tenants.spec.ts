import { ServiceTokens } from '@sky-genesis/auth';
import { SERVICE_AUTHORIZATION } from '@sky-genesis/grpc';
import { eventually } from '../eventually';
import { embeddedSearch } from './test-search';
import { type RestAnswer, SERVICE_KEY, TestSystem, token } from './test-system';

/** Two tenants with equal words and equal ids. What belongs to one has its name in it, so that it is seen wherever it leaks. */
const TENANTS = ['scarlet', 'cobalt'] as const;
type Tenant = (typeof TENANTS)[number];
const other = (tenant: Tenant): Tenant => (tenant === 'scarlet' ? 'cobalt' : 'scarlet');
const MAIL_ID: Record<Tenant, string> = {
  scarlet: 'msg_0193a5c1-7f3e-7c3a-9d55-000000000001',
  cobalt: 'msg_0193a5c1-7f3e-7c3a-9d55-000000000002',
};

let system: TestSystem;
beforeAll(async () => {
  system = await TestSystem.start({ MAIL_WORKER: 'false', SEARCH_FEED: 'false' }, { search: embeddedSearch() });
  for (const tenant of TENANTS) {
    await indexMail(tenant, MAIL_ID[tenant]);
    expect((await put(tenant, 'shared', documentOf(tenant))).status).toBe(201);
    expect((await put(tenant, `only ${tenant}`, documentOf(tenant))).status).toBe(201);
    await ask(tenant, `wait_for_id=only ${tenant}`);
  }
}, 60_000);
afterAll(() => system?.stop());

const documentOf = (tenant: Tenant) => ({
  title: 'Quarterly numbers',
  content: `The same words for everyone, kept by ${tenant}.`,
  url: `/of/${tenant}`,
  attributes: { owner: tenant, same: 'value' },
  timestamp: 1_700_000_000,
});

/** As mail's feed does: on behalf of nobody, by mail's own token. */
async function indexMail(tenant: string, id: string): Promise<void> {
  const document = {
    id,
    title: 'Quarterly numbers',
    content: `A mail of ${tenant}.`,
    url: `/api/v1/mail/${id}`,
    attributes: { owner: { values: [tenant] }, same: { values: ['value'] }, from: { values: [`boss@${tenant}.example`] } },
    timestamp: 1_700_000_000,
    version: 1,
  };
  const metadata = { [SERVICE_AUTHORIZATION]: `Bearer ${(await new ServiceTokens(SERVICE_KEY).issue('mail'))!}` };
  await system.grpc('indexDocument', { document, tenant }, { service: 'search', token: null, metadata });
}

const PATH = '/api/v1/search/documents';
const put = (tenant: string, id: string, body: object): Promise<RestAnswer> =>
  system.rest('PUT', `${PATH}/${encodeURIComponent(id)}`, { token: token({ tenant }), body });
const remove = (tenant: string, id: string): Promise<RestAnswer> =>
  system.rest('DELETE', `${PATH}/${encodeURIComponent(id)}`, { token: token({ tenant }) });

interface Found {
  results: { id: string; kind: string; content: string; title: string }[];
  total_count: number;
  next_page_token?: string;
  facets?: { field: string; values: { value: string; count: number }[] }[];
}
async function ask(tenant: string, query: string, more: { scope?: string; headers?: Record<string, string> } = {}): Promise<RestAnswer> {
  const { headers = {}, ...claims } = more;
  return system.rest('GET', `/api/v1/search?${encodeURI(query)}`, { token: token({ tenant, ...claims }), headers });
}
async function find(tenant: string, query: string, scope?: string): Promise<Found> {
  const { status, body } = await ask(tenant, query, scope === undefined ? {} : { scope });
  expect([query, status]).toEqual([query, 200]);
  return body as unknown as Found;
}
const idsOf = ({ results }: Found) => results.map(({ id }) => id).sort();
/** All of an error but what is another each time. */
const errorOf = ({ status, body }: RestAnswer) => ({ status, ...body, request_id: '' });

describe.each(TENANTS)('%s', (tenant) => {
  const foreign = other(tenant);
  const own = [MAIL_ID[tenant], `only ${tenant}`, 'shared'].sort();

  test.each([
    '',
    'q=numbers',
    'q="quarterly numbers"',
    'q=quart*',
    'q=quartrly~',
    'q=words OR mail',
    'q=-nothing',
    'filter=same:value',
    'filter=owner:scarlet|cobalt',
    'filter=timestamp:>=1',
    'filter=kind:email|document',
    'sort=newest',
    'sort=oldest&limit=100',
    'facet=owner&facet=same&facet=kind',
    `filter=id:${MAIL_ID.scarlet}|${MAIL_ID.cobalt}|shared|only scarlet|only cobalt`,
  ])('finds only what is its own by "%s"', async (query) => {
    const found = await find(tenant, query);
    expect([idsOf(found), found.total_count]).toEqual([own, 3]);
    expect(JSON.stringify(found)).not.toContain(foreign);
  });

  test('finds nothing by what only the other one has', async () => {
    for (const query of [
      `q=${foreign}`,
      `q=from:${foreign}`,
      `filter=owner:${foreign}`,
      `filter=id:${MAIL_ID[foreign]}`,
      `filter=url:/of/${foreign}`,
    ]) {
      expect([query, (await find(tenant, query)).total_count]).toEqual([query, 0]);
    }
  });

  test('counts only its own values', async () => {
    const { facets } = await find(tenant, 'q=numbers&facet=owner&facet=kind');
    expect(facets).toEqual([
      { field: 'owner', values: [{ value: tenant, count: 3 }] },
      {
        field: 'kind',
        values: [
          { value: 'document', count: 2 },
          { value: 'email', count: 1 },
        ],
      },
    ]);
  });

  test("goes on by its own page tokens, and the other's tell no more than junk", async () => {
    const { next_page_token: page, results } = await find(tenant, 'q=numbers&limit=1');
    const rest = await find(tenant, `q=numbers&page_token=${page!}`);
    expect([...results, ...rest.results].map(({ id }) => id).sort()).toEqual(own);
    const stolen = errorOf(await ask(foreign, `q=numbers&page_token=${page!}`));
    expect(stolen).toMatchObject({ status: 400, code: 'INVALID_ARGUMENT', errors: [{ field: 'page_token' }] });
    expect(JSON.stringify(stolen)).not.toContain(tenant);
  });

  test('waits for what is not its own as for what never was', async () => {
    const waits = ['never', `only ${foreign}`, MAIL_ID[foreign]].map((id) =>
      ask(tenant, `wait_for_id=${id}`, { headers: { 'request-timeout': '1.5' } }),
    );
    const [never, ...theirs] = (await Promise.all(waits)).map(errorOf);
    expect(never).toMatchObject({ status: 504, code: 'NOT_FINDABLE_YET' });
    for (const each of theirs) expect(each).toEqual(never);
  });

  test("deletes what is not its own as what never was, and the other's is still there", async () => {
    const answers = await Promise.all([remove(tenant, 'never'), remove(tenant, `only ${foreign}`)]);
    expect(answers.map(({ status, body }) => [status, body])).toEqual(Array(2).fill([200, { deleted: false }]));
    expect(idsOf(await find(foreign, ''))).toContain(`only ${foreign}`);
  });
});

test('an id that both have is two documents: to replace or delete one leaves the other', async () => {
  expect((await put('scarlet', 'twin', { title: 'of scarlet' })).body).toEqual({ id: 'twin', status: 'created' });
  expect((await put('cobalt', 'twin', { title: 'of cobalt' })).body).toEqual({ id: 'twin', status: 'created' });
  await ask('cobalt', 'wait_for_id=twin');
  const titles = async () =>
    Promise.all(TENANTS.map(async (tenant) => (await find(tenant, 'filter=id:twin')).results.map(({ title }) => title)));
  expect(await titles()).toEqual([['of scarlet'], ['of cobalt']]);
  expect((await remove('scarlet', 'twin')).body).toEqual({ deleted: true });
  await eventually(titles, ([scarlet]) => scarlet?.length === 0);
  expect(await titles()).toEqual([[], ['of cobalt']]);
  await remove('cobalt', 'twin');
});

test('names of tenants and ids run together nowhere', async () => {
  const marks = ['.', '_', '-'];
  const pairs = marks.flatMap((mark): [string, string][] => [
    [`run${mark}a`, 'b'],
    ['run', `a${mark}b`],
    ['run', `${mark}a${mark}b`],
  ]);
  for (const [tenant, id] of pairs) await put(tenant, id, { title: `${tenant} and ${id}` });
  for (const [tenant, id] of pairs) {
    await ask(tenant, `wait_for_id=${id}`);
    const { results } = await find(tenant, 'limit=100');
    expect(results.every(({ title }) => title.startsWith(`${tenant} and `))).toBe(true);
    expect(results.filter((each) => each.id === id)).toHaveLength(1);
  }
});

describe('a mail', () => {
  const id = MAIL_ID.scarlet;

  test.each(['msg_1', id, 'file_1', 'evt_1'])('%s is not put or deleted by a caller, on any wire', async (given) => {
    const bulkBody = `${JSON.stringify({ id: given, title: 'forged' })}\n${JSON.stringify({ delete: given })}\n`;
    const bulk = await fetch(`${system.url}${PATH}/bulk`, {
      method: 'POST',
      body: bulkBody,
      headers: { authorization: `Bearer ${token({ tenant: 'scarlet' })}`, 'content-type': 'application/x-ndjson' },
    });
    const lines = (await bulk.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { request_ref: string; problem?: { code: string; errors?: { field: string }[] } });
    expect(lines.map(({ request_ref, problem }) => [request_ref, problem?.code, problem?.errors?.[0]?.field]).sort()).toEqual([
      ['1', 'INVALID_ARGUMENT', 'id'],
      ['2', 'INVALID_ARGUMENT', 'delete'],
    ]);
    const answers = await Promise.all([
      put('scarlet', given, { title: 'forged', version: 9_000_000_000_000_000 }),
      system.rest('POST', PATH, { token: token({ tenant: 'scarlet' }), body: { id: given } }),
      remove('scarlet', given),
    ]);
    for (const { status, body } of answers) {
      expect([status, body.code, (body.errors as { field: string }[])[0]?.field]).toEqual([400, 'INVALID_ARGUMENT', 'id']);
    }
    const own = { service: 'search', token: token({ tenant: 'scarlet' }) } as const;
    expect(await system.grpcError('indexDocument', { document: { id: given } }, own)).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect(await system.grpcError('deleteDocument', { id: given }, own)).toMatchObject({ reason: 'INVALID_ARGUMENT' });
    expect((await find('scarlet', `filter=id:${id}`)).results).toMatchObject([{ kind: 'email', content: 'A mail of scarlet.' }]);
  });

  test.each(['document', 'deletion'])('is not hidden by a %s that names a tenant', async (what) => {
    const own = { service: 'search', token: token({ tenant: 'cobalt' }) } as const;
    const error =
      what === 'document'
        ? await system.grpcError('indexDocument', { document: { id: 'x' }, tenant: 'scarlet' }, own)
        : await system.grpcError('deleteDocument', { id: 'shared', tenant: 'scarlet' }, own);
    expect([error.code, error.reason]).toEqual(['PERMISSION_DENIED', 'SERVICES_ONLY']);
    expect((await find('scarlet', 'filter=id:shared')).total_count).toBe(1);
  });

  test('is not hidden by documents with its words, and none of them passes for a mail', async () => {
    const forged = await put('scarlet', 'forged', { title: 'Quarterly numbers', attributes: { kind: 'email' } });
    expect([forged.status, (forged.body.errors as { field: string }[])[0]?.field]).toEqual([400, 'attributes[kind]']);
    await put('scarlet', 'beside', {
      title: 'Quarterly numbers',
      content: 'Quarterly numbers quarterly numbers',
      url: `/api/v1/mail/${id}`,
    });
    await ask('scarlet', 'wait_for_id=beside');
    expect(idsOf(await find('scarlet', 'q=numbers&kind=email'))).toEqual([id]);
    expect(idsOf(await find('scarlet', 'q=numbers'))).toEqual(expect.arrayContaining([id, 'beside']));
    await remove('scarlet', 'beside');
  });

  test('is found, counted and waited for only by who may read mail', async () => {
    const scope = 'search.read search.write';
    for (const query of [
      '',
      'q=numbers',
      'q=mail',
      'filter=same:value',
      `filter=id:${id}|shared`,
      'sort=newest',
      'q=from:boss',
      'filter=kind:email',
    ]) {
      const found = await find('scarlet', `${query}&facet=kind&facet=from`, scope);
      expect([query, found.results.filter(({ kind }) => kind !== 'document')]).toEqual([query, []]);
      expect(JSON.stringify(found.facets)).not.toMatch(/email|boss/);
      expect(found.total_count).toBe(found.results.length);
    }
    const timeout = { scope, headers: { 'request-timeout': '1.5' } };
    const [theirs, never] = await Promise.all([
      ask('scarlet', `wait_for_id=${id}`, timeout),
      ask('scarlet', 'wait_for_id=msg_0193a5c1-7f3e-7c3a-9d55-0a1b2c3d4e5f', timeout),
    ]);
    expect(errorOf(theirs)).toEqual(errorOf(never));
    expect(theirs.body.code).toBe('NOT_FINDABLE_YET');
    const asked = await ask('scarlet', 'kind=email', { scope });
    expect([asked.status, asked.body.code]).toEqual([403, 'SCOPE_MISSING']);
  });

  test('of a page with mails, its token is not good for who may not read mail', async () => {
    await put('scarlet', 'another', { title: 'Quarterly numbers' });
    await ask('scarlet', 'wait_for_id=another');
    const { next_page_token: page } = await find('scarlet', 'q=numbers&limit=1');
    const { status, body } = await ask('scarlet', `q=numbers&page_token=${page!}`, { scope: 'search.read' });
    expect([status, body.code]).toEqual([400, 'INVALID_ARGUMENT']);
    await remove('scarlet', 'another');
  });
});
