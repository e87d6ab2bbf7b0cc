import { errorReasons } from '@sky-genesis/grpc';
import type { OpenAPIObject } from '@nestjs/swagger';
import { GatewayFixture } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
let document: OpenAPIObject;
beforeAll(async () => {
  await fixture.start();
  document = (await fixture.ask('/api/openapi.json')).json;
});
afterAll(() => fixture.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, any>).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      path,
      operation,
    })),
  );
/** All that asks for a token. */
const ofApi = () => operations().filter(({ name, path }) => path.startsWith('/api/v1/') && !name.startsWith('OPTIONS '));

test('it is OpenAPI 3.1 and holds every route', () => {
  expect(document.openapi).toBe('3.1.0');
  expect(
    operations()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'DELETE /api/v1/files/{id}',
    'DELETE /api/v1/search/documents/{id}',
    'DELETE /api/v1/uploads/{id}',
    'GET /api/v1/events',
    'GET /api/v1/files/{id}',
    'GET /api/v1/mail',
    'GET /api/v1/mail/{id}',
    'GET /api/v1/mail/{id}/attachments/{n}',
    'GET /api/v1/search',
    'GET /health/live',
    'GET /health/ready',
    'GET /metrics',
    'HEAD /api/v1/uploads/{id}',
    'OPTIONS /api/v1/uploads',
    'OPTIONS /api/v1/uploads/{id}',
    'PATCH /api/v1/uploads/{id}',
    'POST /api/v1/files',
    'POST /api/v1/mail/bulk',
    'POST /api/v1/mail/send',
    'POST /api/v1/mail/{id}/cancel',
    'POST /api/v1/mail/{id}/resolve',
    'POST /api/v1/search/documents',
    'POST /api/v1/search/documents/bulk',
    'POST /api/v1/uploads',
    'POST /api/v1/uploads/{id}',
    'PUT /api/v1/files/by-name/{filename}',
    'PUT /api/v1/search/documents/{id}',
  ]);
});

test('Problem lists every error code, with its meaning', () => {
  const { code } = (document.components?.schemas as any).Problem.properties;
  expect(code.enum).toEqual(Object.keys(errorReasons));
  for (const [reason, { meaning }] of Object.entries(errorReasons)) expect(code.description).toContain(`\`${reason}\`: ${meaning}`);
});

test('every operation tells its token, scope, success and errors', () => {
  for (const { name, operation } of ofApi()) {
    expect([name, operation.security]).toEqual([
      name,
      [{ bearer: [expect.stringMatching(/^(mail\.(send|read)|events\.read|(search|files)\.(read|write))$/)] }],
    ]);
    expect([name, operation.description]).toEqual([
      name,
      expect.stringContaining(`Needs the scope \`${operation.security[0].bearer[0]}\``),
    ]);
    const success = Object.entries<any>(operation.responses).filter(([status]) => status.startsWith('2'));
    expect([name, success.length]).toEqual([name, /(IndexDocument|DownloadFile)`/.test(operation.description) ? 2 : 1]);
    for (const [, { content }] of success) {
      // The answers of tus are in their headers, and files are bytes.
      if (content === undefined && /^[A-Z]+ \/api\/v1\/(uploads|files\/\{id\})/.test(name)) continue;
      const [body] = Object.values<any>(content);
      if (body.schema.format === 'binary') expect(operation.description).toContain('DownloadFile');
      else expect([name, body.schema.$ref]).toEqual([name, expect.stringMatching(/^#\/components\/schemas\//)]);
    }
    for (const status of ['400', '401', '403', '500', '503', '504']) {
      expect([name, status, operation.responses[status]?.content['application/problem+json'].schema]).toEqual([
        name,
        status,
        { $ref: '#/components/schemas/Problem' },
      ]);
    }
  }
});

test('what may change something can be too early', () => {
  const early = ofApi().filter(({ operation }) => operation.responses['425']);
  expect(early.map(({ name }) => name).sort()).toEqual(
    ofApi()
      .map(({ name }) => name)
      // To ask how far an upload has come completes one whose bytes are all there.
      .filter((name) => !name.startsWith('GET '))
      .sort(),
  );
});

test('every parameter and every field is described or shown by an example', () => {
  const silent = ofApi().flatMap(({ name, operation }) =>
    operation.parameters.filter((p: any) => !p.description).map((p: any) => `${name} ${p.name}`),
  );
  expect(silent).toEqual([]);
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name as string);
  expect(references.filter((name) => !(name in (document.components?.schemas ?? {})))).toEqual([]);
});

test('what comes line by line, or as events, has its media type', () => {
  const { requestBody, responses } = (document.paths['/api/v1/mail/bulk'] as any).post;
  expect([requestBody.content, responses['200'].content]).toEqual([
    { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/EmailToSendInBulk' } } },
    { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/BulkAnswer' } } },
  ]);
  const events = (document.paths['/api/v1/events'] as any).get;
  expect(events.security).toEqual([{ bearer: ['events.read'] }]);
  expect(Object.keys(events.responses['200'].content)).toEqual(['application/json', 'text/event-stream']);
  expect(events.responses['200'].content['text/event-stream'].schema.type).toBe('string');
  expect(events.parameters.map(({ name }: { name: string }) => name)).toEqual(
    expect.arrayContaining(['after', 'types', 'message_id', 'page_size', 'Last-Event-ID']),
  );
});

test('documents go line by line, too; parameters that may be given more than once are lists; attributes are a value or a list', () => {
  const { requestBody, responses } = (document.paths['/api/v1/search/documents/bulk'] as any).post;
  expect([requestBody.content, responses['200'].content]).toEqual([
    { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/DocumentBulkLine' } } },
    { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/DocumentBulkAnswer' } } },
  ]);
  const { parameters, responses: answers } = (document.paths['/api/v1/search'] as any).get;
  const typeOf = (name: string) => parameters.find((each: any) => each.name === name).schema.type;
  expect(['q', 'filter', 'facet', 'kind', 'limit'].map(typeOf)).toEqual(['string', 'array', 'array', 'array', 'integer']);
  expect(answers['503'].headers['Retry-After']).toBeDefined();
  expect(Object.keys(answers['504'].content['application/problem+json'].examples)).toContain('NOT_FINDABLE_YET');
  const { DocumentToIndex, DocumentToPut } = document.components?.schemas as any;
  expect([DocumentToIndex.required, DocumentToPut.required]).toEqual([['id'], undefined]);
  expect(DocumentToIndex.properties.attributes.additionalProperties.anyOf.map(({ type }: { type: string }) => type)).toEqual(
    expect.arrayContaining(['string', 'array']),
  );
});

test('a body without recipients is shown as wrong, though it is the service that refuses it', () => {
  expect((document.components?.schemas as any).EmailToSend).toMatchObject({ required: ['to'], additionalProperties: false });
});

test('a browser is shown the document by files of our own', async () => {
  const page = await fixture.ask('/api/docs');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
  const files = [...String(page.json).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file as string);
  expect(files.length).toBeGreaterThan(3);
  for (const file of files) {
    const { origin, pathname } = new URL(file, `${fixture.url}/api/docs`);
    expect(origin).toBe(fixture.url);
    expect([pathname, (await fixture.ask(pathname)).status]).toEqual([pathname, 200]);
  }
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  expect(String(page.json)).not.toMatch(/<script>[^<]/);
});
