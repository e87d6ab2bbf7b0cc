import { freePort } from '../../test/free-port';
import { checkElasticsearch } from './elasticsearch.check';
import { type Answer, startHttp } from './http-server.fixture';
import { authority, issue, stranger } from './tls-server.fixture';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

const ROOT = { json: { version: { number: '9.2.0' } } };
const GREEN = { json: { status: 'green' } };

async function answering(answers: Record<string, Answer>, tls?: Parameters<typeof startHttp>[1]): Promise<string> {
  const { address, close } = await startHttp(
    (path) => ({ '/': ROOT, '/_cluster/health': GREEN, ...answers })[path] ?? { status: 404 },
    tls,
  );
  closers.push(close);
  return address;
}

const check = async (answers: Record<string, Answer>) => checkElasticsearch({ ELASTICSEARCH_URL: `http://${await answering(answers)}` });

test('one that is well', async () => {
  const findings = await check({});
  expect(findings.map(({ state, found }) => [state, found])).toEqual([
    ['ok', 'version 9.2.0'],
    ['ok', 'status green'],
    ['ok', 'agrees with this machine'],
  ]);
});

test.each<[string, Record<string, Answer>, string, RegExp, RegExp]>([
  ['refuses who asks', { '/': { status: 401 } }, 'failure', /401/, /ELASTICSEARCH_API_KEY/],
  ['forbids it', { '/': { status: 403 } }, 'failure', /403/, /rights/],
  ['is too old', { '/': { json: { version: { number: '8.18.3' } } } }, 'failure', /8\.18\.3 is not supported/, /8\.19 or 9/],
  ['is something else', { '/': { json: { hello: 'world' } } }, 'failure', /no Elasticsearch/, /ELASTICSEARCH_URL/],
  ['has lost shards', { '/_cluster/health': { json: { status: 'red' } } }, 'failure', /red/, /search:rebuild/],
  ['does not tell its status', { '/_cluster/health': { status: 403 } }, 'warning', /does not tell/, /monitor/],
  ['is ahead by a few seconds', { '/': { ...ROOT, aheadMs: 6000 } }, 'warning', /ahead of this machine/, /NTP/],
  ['is behind by minutes', { '/': { ...ROOT, aheadMs: -120_000 } }, 'failure', /behind this machine/, /NTP/],
])('one that %s', async (_what, answers, state, found, todo) => {
  const wrong = (await check(answers)).filter((finding) => finding.state !== 'ok');
  expect(wrong).toEqual([expect.objectContaining({ state, found: expect.stringMatching(found), todo: expect.stringMatching(todo) })]);
});

test('who asks, by key or by user and password; never shown', async () => {
  const asked: (string | undefined)[] = [];
  const { address, close } = await startHttp((_path, { headers }) => ({ status: asked.push(headers.authorization) && 401 }));
  closers.push(close);
  const ELASTICSEARCH_URL = `http://${address}`;
  const findings = [
    ...(await checkElasticsearch({ ELASTICSEARCH_URL, ELASTICSEARCH_API_KEY: 'hunter2' })),
    ...(await checkElasticsearch({ ELASTICSEARCH_URL, ELASTICSEARCH_USERNAME: 'me', ELASTICSEARCH_PASSWORD: 'hunter2' })),
  ];
  expect(asked).toEqual(['ApiKey hunter2', `Basic ${Buffer.from('me:hunter2').toString('base64')}`]);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});

test('TLS: trusted by ELASTICSEARCH_CA, or told as not trusted, for another name, out of date', async () => {
  const url = async (tls: { cert: string; key: string }) => `https://${await answering({}, tls)}`;
  const ELASTICSEARCH_CA = authority.certificate;
  const found = async (tls: { cert: string; key: string }) =>
    (await checkElasticsearch({ ELASTICSEARCH_URL: await url(tls), ELASTICSEARCH_CA }))[0]?.found;
  expect(await found(issue(authority, 'localhost'))).toBe('version 9.2.0');
  expect(await found(issue(stranger, 'localhost'))).toMatch(/^TLS: who signed its certificate is not trusted here/);
  expect(await found(issue(authority, 'elsewhere'))).toBe('TLS: its certificate is not for this name');
  expect(await found(issue(authority, 'localhost', new Date('2020-01-01'), new Date('2020-02-01')))).toBe(
    'TLS: its certificate has expired',
  );
  expect(await checkElasticsearch({ ELASTICSEARCH_URL: `https://${await answering({})}` })).toEqual([
    expect.objectContaining({ found: expect.stringContaining('TLS: no handshake'), todo: expect.stringContaining('http or https') }),
  ]);
});

test('none', async () => {
  const ELASTICSEARCH_URL = `http://127.0.0.1:${await freePort()}`;
  expect(await checkElasticsearch({ ELASTICSEARCH_URL })).toEqual([
    expect.objectContaining({ found: expect.stringContaining('connection refused') }),
  ]);
  expect(await checkElasticsearch({})).toEqual([]);
});
