import { EngineUnavailableError } from '../search.engine';
import { ElasticsearchClient, ElasticsearchRefusal } from './elasticsearch.client';
import { FakeElasticsearch } from './fake-elasticsearch.fixture';

const call = { method: 'GET', path: '/x' } as const;

let fake: FakeElasticsearch;
let client: ElasticsearchClient;
beforeEach(async () => {
  fake = new FakeElasticsearch();
  await fake.start();
  client = new ElasticsearchClient(fake.settings());
});
afterEach(async () => {
  await client.close();
  await fake.stop();
});

test.each([429, 502, 503, 504])('%i is tried again, and is an outage in the end', async (status) => {
  fake.reply = (_, times) => (times < 3 ? { status } : { body: { fine: true } });
  expect(await client.request(call)).toEqual({ fine: true });
  fake.reply = () => ({ status });
  await expect(client.request(call)).rejects.toThrow(EngineUnavailableError);
  expect(fake.recorded).toHaveLength(6);
});

test('what may be done once is tried once', async () => {
  fake.reply = () => ({ status: 503 });
  await expect(client.request(call, { tries: 1 })).rejects.toThrow(EngineUnavailableError);
  expect(fake.recorded).toHaveLength(1);
});

test('what it will not do is told, and not tried again', async () => {
  fake.reply = () => ({ status: 400, body: { error: { type: 'parsing_exception', reason: 'of the index fake-v1' }, status: 400 } });
  const error = await client.request(call).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ElasticsearchRefusal);
  expect(error).toMatchObject({ status: 400, type: 'parsing_exception', message: 'Elasticsearch: 400 parsing_exception' });
  expect(fake.recorded).toHaveLength(1);
});

test.each([401, 403])('%i for want of rights is an outage', async (status) => {
  fake.reply = () => ({ status, body: { error: { type: 'security_exception' }, status } });
  await expect(client.request(call)).rejects.toThrow(EngineUnavailableError);
});

test('one that does not answer in time is away', async () => {
  fake.reply = () => ({ silent: true });
  const began = performance.now();
  await expect(client.request(call, { timeoutMs: 300 })).rejects.toThrow(EngineUnavailableError);
  expect(performance.now() - began).toBeLessThan(1500);
});

test('the signal ends it, by its own reason', async () => {
  fake.reply = () => ({ silent: true });
  const gone = new AbortController();
  setImmediate(() => gone.abort(new Error('the caller went')));
  await expect(client.request(call, { signal: gone.signal })).rejects.toThrow('the caller went');
  await expect(client.request(call, { signal: gone.signal })).rejects.toThrow('the caller went');
});

test('nobody there is an outage', async () => {
  await fake.stop();
  await expect(client.request(call)).rejects.toThrow(EngineUnavailableError);
  await fake.start();
});

test('the API key, or the user and password, go with every request', async () => {
  const byKey = new ElasticsearchClient(fake.settings({ apiKey: 'a2V5' }));
  const byPassword = new ElasticsearchClient(fake.settings({ username: 'user', password: 'pass' }));
  await byKey.request(call);
  await byPassword.request(call);
  expect(fake.recorded.map(({ headers }) => headers.authorization)).toEqual([
    'ApiKey a2V5',
    `Basic ${Buffer.from('user:pass').toString('base64')}`,
  ]);
  await byKey.close();
  await byPassword.close();
});

test('a server of version 8 is spoken to as it wants, from then on', async () => {
  fake.reply = ({ headers }) =>
    headers.accept?.includes('compatible-with=9')
      ? { status: 400, body: { error: { type: 'media_type_header_exception' }, status: 400 } }
      : undefined;
  await client.request({ method: 'POST', path: '/_bulk', lines: ['{}', '{}'] });
  await client.request({ method: 'POST', path: '/x', body: {} });
  expect(fake.recorded.map(({ headers }) => headers['content-type'])).toEqual([
    'application/vnd.elasticsearch+x-ndjson; compatible-with=9',
    'application/vnd.elasticsearch+x-ndjson; compatible-with=8',
    'application/vnd.elasticsearch+json; compatible-with=8',
  ]);
});
