import { join } from 'node:path';
import { type AppEnvironments, appEnvironments, type EmbeddedUrls } from './app-environment';
import { secretFiles } from './secrets';
import { readStackConfig } from './stack.config';

const PORTS = { gateway: 1, mail_grpc: 2, mail_health: 3, smtp_sink: 4, search_grpc: 5, search_health: 6 };
const SECRET = 's'.repeat(32);
const EMBEDDED = { mail: 'postgresql://embedded/mail', search: 'postgresql://embedded/search' };

const environmentsFor = (own: Record<string, string>, embedded?: EmbeddedUrls): AppEnvironments =>
  appEnvironments(own, readStackConfig(own), PORTS, secretFiles('/data/secrets'), embedded);

test('what is missing is filled in', () => {
  const forAll = {
    DRAIN_NOTICE_SECONDS: '0',
    GRPC_HOST: '127.0.0.1',
    HEALTH_HOST: '127.0.0.1',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '1',
    GRPC_MAIL_SERVICE_ADDR: '127.0.0.1:2',
    GRPC_SEARCH_SERVICE_ADDR: '127.0.0.1:5',
    AUTH_SECRET_FILE: '/data/secrets/auth-secret',
    AUTH_ISSUER: 'sge-local',
    AUTH_AUDIENCE: 'sge',
    PAGE_TOKEN_KEY_FILE: '/data/secrets/page-token-key',
    SERVICE_KEY_FILE: '/data/secrets/service-key.pem',
    FILES_DIR: join(readStackConfig({}).SGE_DATA_DIR, 'files'),
    DATABASE_URL: EMBEDDED.mail,
    SEARCH_DATABASE_URL: EMBEDDED.search,
    MAIL_RELAY_URL: 'smtp://127.0.0.1:4',
  };
  expect(environmentsFor({}, EMBEDDED)).toEqual({
    mail: { ...forAll, GRPC_PORT: '2', HEALTH_PORT: '3' },
    search: { ...forAll, GRPC_PORT: '5', HEALTH_PORT: '6' },
    gateway: forAll,
  });
});

test('what the person set goes through, and nothing is given twice', () => {
  const own = {
    AUTH_SECRET: SECRET,
    AUTH_ISSUER: 'mine',
    LOG_LEVEL: 'debug',
    HTTP_HOST: '0.0.0.0',
    MAIL_RETURN_PATH: 'bounces@example.com',
    ELASTICSEARCH_URL: 'http://127.0.0.1:9200',
    PAGE_TOKEN_KEY: SECRET,
  };
  for (const environment of Object.values(environmentsFor(own))) {
    expect(environment).toMatchObject(own);
    expect(environment).not.toHaveProperty('AUTH_SECRET_FILE');
    expect(environment).not.toHaveProperty('PAGE_TOKEN_KEY_FILE');
    expect(environment).not.toHaveProperty('DATABASE_URL');
  }
});

test('how the parts find each other is the stack’s to say', () => {
  const addresses = { GRPC_MAIL_SERVICE_ADDR: 'localhost:9', GRPC_SEARCH_SERVICE_ADDR: 'localhost:9' };
  const { mail, search, gateway } = environmentsFor({ GRPC_PORT: '9', HEALTH_PORT: '9', HTTP_PORT: '9', ...addresses });
  expect(mail).toMatchObject({ GRPC_PORT: '2', HEALTH_PORT: '3', GRPC_SEARCH_SERVICE_ADDR: '127.0.0.1:5' });
  expect(search).toMatchObject({ GRPC_PORT: '5', HEALTH_PORT: '6', GRPC_MAIL_SERVICE_ADDR: '127.0.0.1:2' });
  expect(gateway).toMatchObject({
    HTTP_PORT: '1',
    GRPC_MAIL_SERVICE_ADDR: '127.0.0.1:2',
    GRPC_SEARCH_SERVICE_ADDR: '127.0.0.1:5',
  });
});

test('search works in a database of its own where there is one, else in that of mail', () => {
  const [OWN, OWN_SEARCH] = ['postgresql://own/mail', 'postgresql://own/search'];
  const databases = (own: Record<string, string>, embedded?: EmbeddedUrls) => {
    const { DATABASE_URL, SEARCH_DATABASE_URL } = environmentsFor(own, embedded).search;
    return [DATABASE_URL, SEARCH_DATABASE_URL];
  };
  expect(databases({ DATABASE_URL: OWN })).toEqual([OWN, OWN]);
  expect(databases({ DATABASE_URL: OWN, SEARCH_DATABASE_URL: OWN_SEARCH })).toEqual([OWN, OWN_SEARCH]);
  expect(databases({ SEARCH_DATABASE_URL: OWN_SEARCH }, EMBEDDED)).toEqual([EMBEDDED.mail, OWN_SEARCH]);
});
