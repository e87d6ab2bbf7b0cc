import { configFor, tokenFor } from '../testing/gateway.fixture';
import { createHttpAdapter } from './http/http-server.adapter';
import { createGateway } from './start-gateway';

/** Open to everyone, on purpose. */
const OPEN = [/^\/health\/(live|ready)$/, /^\/metrics$/, /^\/api\/openapi\.json$/, /^\/api\/docs(\/.*)?$/];
/** Beside the routes of the same path that are not. */
const OPEN_METHODS = ['OPTIONS /api/v1/uploads', 'OPTIONS /api/v1/uploads/:id'];

const adapter = createHttpAdapter(configFor('127.0.0.1:1'));
const routes: { method: string; url: string }[] = [];
adapter.getInstance().addHook('onRoute', ({ method, url }) => {
  // Fastify adds a HEAD to every GET.
  for (const each of [method].flat()) if (each !== 'HEAD' || url === '/api/v1/uploads/:id') routes.push({ method: each, url });
});
const starting = createGateway(configFor('127.0.0.1:1'), adapter).then((app) => app.init());
const guarded = () =>
  routes.filter(({ method, url }) => !OPEN.some((open) => open.test(url)) && !OPEN_METHODS.includes(`${method} ${url}`));
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
    'DELETE /api/v1/files/:id',
    'DELETE /api/v1/search/documents/:id',
    'DELETE /api/v1/uploads/:id',
    'GET /api/v1/events',
    'GET /api/v1/files/:id',
    'GET /api/v1/mail',
    'GET /api/v1/mail/:id',
    'GET /api/v1/mail/:id/attachments/:n',
    'GET /api/v1/search',
    'HEAD /api/v1/uploads/:id',
    'PATCH /api/v1/uploads/:id',
    'POST /api/v1/files',
    'POST /api/v1/mail/:id/cancel',
    'POST /api/v1/mail/:id/resolve',
    'POST /api/v1/mail/bulk',
    'POST /api/v1/mail/send',
    'POST /api/v1/search/documents',
    'POST /api/v1/search/documents/bulk',
    'POST /api/v1/uploads',
    'POST /api/v1/uploads/:id',
    'PUT /api/v1/files/by-name/:filename',
    'PUT /api/v1/search/documents/:id',
  ]);
});

test('every route that is not open asks for a token', async () => {
  expect(await statusesFor({})).toEqual(expected(401));
});

test('every route that is not open asks for a scope', async () => {
  expect(await statusesFor({ authorization: `Bearer ${tokenFor('other.scope')}` })).toEqual(expected(403));
});

test('what tus is spoken is told to everyone', async () => {
  for (const url of ['/api/v1/uploads', '/api/v1/uploads/file_1']) {
    const { statusCode, headers } = await adapter.inject({ method: 'OPTIONS', url });
    expect([statusCode, headers['tus-version'], headers['tus-max-size']]).toEqual([204, '1.0.0', undefined]);
    expect(headers['tus-extension']).toBe('creation,creation-with-upload,creation-defer-length,expiration,checksum,termination');
  }
});
