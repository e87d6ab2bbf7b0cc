import { Metadata, status } from '@grpc/grpc-js';
import { eventually } from '../../../../test/eventually';
import { toStatus } from '../grpc-status';
import { freePort } from '../loopback.fixture';
import { RuleError } from '../rule-error';
import { type Pair, TestAuthority } from '../../../../test/test-authority';
import { ConnectionErrors } from './connection-errors';
import { call, type TestFiles, TlsSides } from './tls-loopback.fixture';

const authority = new TestAuthority('Good CA');
const stranger = new TestAuthority('Other CA');
const mail = () => authority.issueFor('mail');
const gateway = () => authority.issueFor('api-gateway');

let sides: TlsSides;
beforeEach(() => (sides = new TlsSides()));
afterEach(() => sides.close());

const filesOf = (pair: Pair) => sides.files(pair, authority.certificate);
const errorsOf = (address: string, files?: TestFiles) =>
  new ConnectionErrors({ service: 'mail', addresses: () => [address], files: files?.opened });

test('nobody listening is told, with the address in the log alone', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const error = await call(sides.client(address, filesOf(gateway())));
  const told = await errorsOf(address).explain(error!);
  expect(told.message).toBe('The service mail cannot be reached: connection refused, nobody listens at its address.');
  await eventually(
    () => sides.logged('connection'),
    ({ length }) => length > 0,
  );
  expect(sides.logged('connection')[0]).toContain(`CONNECTION_REFUSED: ${address}: ECONNREFUSED`);
});

test('a service that fails again and again is probed and logged once in ten seconds', async () => {
  const server = await sides.serve({ files: filesOf(mail()) });
  const files = filesOf(stranger.issueFor('api-gateway'));
  const client = sides.client(server.address, files);
  const errors = errorsOf(server.address, files);
  const causes = new Set<unknown>();
  for (let calls = 0; calls < 20; calls += 1) causes.add((await errors.explain((await call(client))!)).details.facts?.['cause']);
  expect([...causes]).toEqual(['TLS_CERTIFICATE_REFUSED']);
  expect(sides.logged('connection')).toHaveLength(1);
});

test('a connection that ended under a call is no service that cannot be reached', async () => {
  const server = await sides.serve({ files: filesOf(mail()) });
  const dropped = Object.assign(new Error(), { code: status.UNAVAILABLE, details: 'Connection dropped', metadata: new Metadata() });
  const told = await errorsOf(server.address, filesOf(gateway())).explain(dropped);
  expect(told.details.facts).toEqual({ service: 'mail', cause: 'CONNECTION_LOST' });
  expect(sides.logged('connection')).toEqual([
    `warn connection: a call lost its connection to mail. ${server.address} can be reached. grpc-js: Connection dropped`,
  ]);
});

test('what the service itself answers is left as it is', async () => {
  const getEmail = (_call: unknown, callback: (error: object) => void) => callback(toStatus(new RuleError('DATABASE_UNAVAILABLE')));
  const server = await sides.serve({ files: filesOf(mail()), handlers: { getEmail } });
  const files = filesOf(gateway());
  const told = await errorsOf(server.address, files).explain((await call(sides.client(server.address, files)))!);
  expect(told).toMatchObject({ reason: 'DATABASE_UNAVAILABLE', details: {} });
  expect(sides.logged('connection')).toEqual([]);
});

test('an identity that is not allowed is told to this process, and not to whom it serves', async () => {
  const server = await sides.serve({ files: filesOf(mail()), peers: ['mail=*'] });
  const files = filesOf(gateway());
  const told = await errorsOf(server.address, files).explain((await call(sides.client(server.address, files)))!);
  expect(told).toMatchObject({
    reason: 'SERVICE_UNAVAILABLE',
    message: 'The service mail cannot be reached: it is not set up to be called from here.',
    details: { facts: { service: 'mail', cause: 'PEER_NOT_ALLOWED' } },
  });
  const message = 'api-gateway, localhost, spiffe://sge/api-gateway may not call MailService';
  expect(sides.logged('connection')).toEqual([`error connection: mail refuses the calls of this process: ${message}`]);
  expect(sides.logged('peerInterceptor')).toEqual([expect.stringContaining(`${message}: refused to 127.0.0.1:`)]);
});
