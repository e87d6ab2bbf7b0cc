import { type Client, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { grpcurl } from '../system/grpcurl';
import { bearer, type EdgeSystem, startEdgeSystem } from './edge-system';

const EMAIL = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 'Test Email', body: 'Hello from gRPC!' };

let running: EdgeSystem;
beforeAll(async () => {
  running = await startEdgeSystem();
}, 90_000);
afterAll(() => running?.stop());

test('grpcurl: reflection describes the whole contract on the one address, and calls find their service', async () => {
  const at = ['-cacert', running.edge.caFile];
  const address = `localhost:${running.edge.port}`;
  const services = (await grpcurl(...at, address, 'list')).text.trim().split('\n');
  expect(services).toEqual(
    expect.arrayContaining([
      'grpc.health.v1.Health',
      'sky_genesis.MailService',
      'sky_genesis.SearchService',
      'sky_genesis.StreamingService',
    ]),
  );
  expect((await grpcurl(...at, address, 'describe', 'sky_genesis.SearchService')).text).toContain('rpc Search (');
  const headers = ['-H', `authorization: ${bearer().authorization}`];
  const call = (rpc: string, request: object) => grpcurl(...at, ...headers, '-d', JSON.stringify(request), address, `sky_genesis.${rpc}`);
  expect(await call('MailService/SendEmail', { email: EMAIL })).toMatchObject({ code: 0, json: { status: 'queued' } });
  expect(await call('SearchService/Search', { query: 'hello' })).toMatchObject({ code: 0 });
  expect(await call('MailService/SendEmail', { email: { from: 'test' } })).toMatchObject({
    code: 3,
    details: { 'google.rpc.BadRequest': expect.stringContaining('email.to') },
  });
  expect(await grpcurl(...at, address, 'grpc.health.v1.Health/Check')).toMatchObject({ json: { status: 'SERVING' } });
});

test('grpc-js: a channel with TLS is all that a client of the services changes', async () => {
  type MailClient = Client & {
    sendEmail(request: object, metadata: Metadata, options: object, done: (error: Error | null, answer: { status: string }) => void): void;
  };
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: { MailService: new (address: string, security: unknown) => MailClient };
  };
  const client = new contract.MailService(`localhost:${running.edge.port}`, credentials.createSsl(Buffer.from(running.edge.ca)));
  try {
    const metadata = new Metadata();
    metadata.set('authorization', bearer().authorization);
    const answer = await new Promise((resolve, reject) =>
      client.sendEmail({ email: EMAIL }, metadata, { deadline: Date.now() + 10_000 }, (error, sent) =>
        error ? reject(error) : resolve(sent),
      ),
    );
    expect(answer).toMatchObject({ status: 'queued' });
  } finally {
    client.close();
  }
});
