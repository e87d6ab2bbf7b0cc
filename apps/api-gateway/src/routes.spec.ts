import { configFor, tokenFor } from '../testing/gateway.fixture';
import { createHttpAdapter } from './http/http-server.adapter';
import { createGateway } from './start-gateway';

/** Open to everyone, on purpose. */
const OPEN = [/^\/health\/(live|ready)$/, /^\/metrics$/, /^\/api\/openapi\.json$/, /^\/api\/docs(\/.*)?$/];

const adapter = createHttpAdapter(configFor('127.0.0.1:1'));
const routes: { method: string; url: string }[] = [];
adapter.getInstance().addHook('onRoute', ({ method, url }) => {
  for (const each of [method].flat()) if (each !== 'HEAD') routes.push({ method: each, url });
});
const starting = createGateway(configFor('127.0.0.1:1'), adapter).then((app) => app.init());
const guarded = () => routes.filter(({ url }) => !OPEN.some((open) => open.test(url)));
const statusesFor = async (headers: Record<string, string>) => {
  const answers = guarded().map(async ({ method, url }) => {
    const { statusCode } = await adapter.inject({ method: method as 'GET', url, headers });
    return `${method} ${url} ${statusCode}`;
  });
  return Promise.all(answers);
};
const expected = (status: number) => guarded().map(({ method, url }) => `${method} ${url} ${status}`);

beforeAll(() => starting);
afterAll(async () => (await starting).close());

test('the routes are those of the contract', () => {
  expect(
    guarded()
      .map(({ method, url }) => `${method} ${url}`)
      .sort(),
  ).toEqual([
    'DELETE /api/v1/search/documents/:id',
    'GET /api/v1/events',
    'GET /api/v1/mail',
    'GET /api/v1/mail/:id',
    'GET /api/v1/search',
    'POST /api/v1/mail/:id/cancel',
    'POST /api/v1/mail/:id/resolve',
    'POST /api/v1/mail/bulk',
    'POST /api/v1/mail/send',
    'POST /api/v1/search/documents',
    'POST /api/v1/search/documents/bulk',
    'PUT /api/v1/search/documents/:id',
  ]);
});

test('every route that is not open asks for a token', async () => {
  expect(await statusesFor({})).toEqual(expected(401));
});

test('every route that is not open asks for a scope', async () => {
  expect(await statusesFor({ authorization: `Bearer ${tokenFor('other.scope')}` })).toEqual(expected(403));
});
