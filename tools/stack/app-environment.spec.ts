import { appEnvironment } from './app-environment';
import { secretFiles } from './secrets';
import { readStackConfig } from './stack.config';

const PORTS = { gateway: 1, mail_grpc: 2, mail_health: 3, smtp_sink: 4 };
const SECRET = 's'.repeat(32);

const environmentFor = (own: Record<string, string>, databaseUrl?: string): NodeJS.ProcessEnv =>
  appEnvironment(own, readStackConfig(own), PORTS, secretFiles('/data/secrets'), databaseUrl);

test('what is missing is filled in', () => {
  expect(environmentFor({}, 'postgresql://embedded')).toEqual({
    GRPC_HOST: '127.0.0.1',
    GRPC_PORT: '2',
    HEALTH_HOST: '127.0.0.1',
    HEALTH_PORT: '3',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: '1',
    GRPC_MAIL_SERVICE_ADDR: '127.0.0.1:2',
    AUTH_SECRET_FILE: '/data/secrets/auth-secret',
    AUTH_ISSUER: 'sge-local',
    AUTH_AUDIENCE: 'sge',
    SERVICE_KEY_FILE: '/data/secrets/service-key.pem',
    DATABASE_URL: 'postgresql://embedded',
    MAIL_RELAY_URL: 'smtp://127.0.0.1:4',
  });
});

test('what the person set goes through, and nothing is given twice', () => {
  const own = {
    AUTH_SECRET: SECRET,
    AUTH_ISSUER: 'mine',
    LOG_LEVEL: 'debug',
    HTTP_HOST: '0.0.0.0',
    MAIL_RETURN_PATH: 'bounces@example.com',
  };
  const environment = environmentFor(own);
  expect(environment).toMatchObject(own);
  expect(environment).not.toHaveProperty('AUTH_SECRET_FILE');
  expect(environment).not.toHaveProperty('DATABASE_URL');
});

test('how the parts find each other is the stack’s to say', () => {
  const environment = environmentFor({ GRPC_PORT: '9', HTTP_PORT: '9', GRPC_MAIL_SERVICE_ADDR: 'localhost:9' });
  expect(environment).toMatchObject({ GRPC_PORT: '2', HTTP_PORT: '1', GRPC_MAIL_SERVICE_ADDR: '127.0.0.1:2' });
});
