import { freePort } from '../../test/free-port';
import { reach } from './tcp.probe';
import { closeServers, startPlain } from './tls-server.fixture';

afterEach(closeServers);

test('a server that listens is reached, by address and by name', async () => {
  const port = await startPlain();
  for (const host of ['127.0.0.1', 'localhost']) (await reach('mail', { host, port, setting: 'X' })).destroy();
});

test('a closed port is told as refused, with what to start and which setting names it', async () => {
  const place = { host: '127.0.0.1', port: await freePort(), setting: 'GRPC_MAIL_SERVICE_ADDR' };
  await expect(reach('mail', place)).rejects.toMatchObject({
    message: `connection refused by 127.0.0.1:${place.port}`,
    todo: 'Nothing listens there: start mail, or put right where it is (GRPC_MAIL_SERVICE_ADDR).',
  });
});

test('a name that does not resolve is told as such', async () => {
  await expect(reach('mail', { host: 'mail.invalid', port: 1, setting: 'X' })).rejects.toMatchObject({
    message: 'the name mail.invalid does not resolve',
    todo: expect.stringContaining('DNS'),
  });
});
