import { describeSettings } from '@sky-genesis/config';
import { gatewaySettings, readGatewayConfig } from './gateway.config';

const needed = { AUTH_SECRET: 'only-for-tests-only-for-tests-0000', AUTH_ISSUER: 'https://issuer.test', AUTH_AUDIENCE: 'sge' };

test('the defaults are those of the documents', () => {
  expect(readGatewayConfig(needed)).toMatchObject({
    NODE_ENV: 'development',
    HTTP_HOST: '127.0.0.1',
    HTTP_PORT: 3000,
    GRPC_MAIL_SERVICE_ADDR: 'localhost:50051',
    GRPC_SEARCH_SERVICE_ADDR: 'localhost:50052',
    GRPC_MAX_MESSAGE_SIZE: 4_194_304,
    GRPC_TIMEOUT: 30,
  });
});

test('every fault is named at once', () => {
  const read = () =>
    readGatewayConfig({
      ...needed,
      AUTH_SECRET: 'short',
      HTTP_PORT: '70000',
      NODE_ENV: 'prod',
      GRPC_MAIL_SERVICE_ADDR: 'a b',
      GRPC_SEARCH_SERVICE_ADDR: 'c d',
    });
  for (const name of ['AUTH_SECRET', 'HTTP_PORT', 'NODE_ENV', 'GRPC_MAIL_SERVICE_ADDR', 'GRPC_SEARCH_SERVICE_ADDR'])
    expect(read).toThrow(name);
});

test('every setting is described', () => {
  expect(describeSettings(gatewaySettings).filter(({ description }) => description === '')).toEqual([]);
});
