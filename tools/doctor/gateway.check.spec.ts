import { freePort } from '../../test/free-port';
import { checkGateway } from './gateway.check';
import { startHttp } from './http-server.fixture';

const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

async function check(status: number, aheadMs = 0) {
  const { address, close } = await startHttp(() => ({ status, aheadMs }));
  closers.push(close);
  return checkGateway({ HTTP_HOST: '0.0.0.0', HTTP_PORT: Number(address.split(':')[1]) });
}

test('one that is ready, whose clock agrees', async () => {
  expect((await check(200)).map(({ state, found }) => [state, found])).toEqual([
    ['ok', 'ready'],
    ['ok', 'agrees with this machine'],
  ]);
});

test.each([
  [503, 0, 'failure', '/health/ready answers 503', 'GRPC_MAIL_SERVICE_ADDR'],
  [404, 0, 'failure', '/health/ready answers 404', 'HTTP_PORT'],
  [200, 10_000, 'warning', 'ahead of this machine', 'NTP'],
])('%i, its clock %i ms ahead', async (status, aheadMs, state, found, todo) => {
  const wrong = (await check(status, aheadMs)).filter((finding) => finding.state !== 'ok');
  expect(wrong).toEqual([expect.objectContaining({ state, found: expect.stringContaining(found), todo: expect.stringContaining(todo) })]);
});

test('none', async () => {
  expect(await checkGateway({ HTTP_PORT: await freePort() })).toEqual([
    expect.objectContaining({
      state: 'failure',
      found: expect.stringContaining('connection refused'),
      todo: expect.stringContaining('start the gateway'),
    }),
  ]);
});
