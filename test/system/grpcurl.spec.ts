import { status as Code } from '@grpc/grpc-js';
import { eventually } from '../eventually';
import { TestStack } from '../stack';
import { grpcurl, type GrpcurlAnswer } from './grpcurl';
import { describeWith } from './provisioned';

const EMAIL = { from: 'sender@example.com', to: ['recipient@example.com'], subject: 'Test Email', body: 'Hello from gRPC!' };

describeWith('grpcurl')('grpcurl, as the seed uses it', () => {
  let stack: TestStack;
  let address: string;
  let authorization: string[];

  beforeAll(async () => {
    stack = await TestStack.started();
    const { ports, token } = stack.description;
    address = `127.0.0.1:${ports.mail_grpc}`;
    authorization = ['-H', `authorization: Bearer ${token}`];
  }, 90_000);

  afterAll(() => stack.remove(), 60_000);

  const call = (method: string, request: unknown, headers = authorization): Promise<GrpcurlAnswer> =>
    grpcurl(...headers, '-d', JSON.stringify(request), address, `sky_genesis.MailService/${method}`);

  test('list and describe show the contract, with its comments', async () => {
    expect((await grpcurl(address, 'list')).text.split('\n')).toEqual(
      expect.arrayContaining([
        'grpc.health.v1.Health',
        'sky_genesis.MailService',
        'sky_genesis.SearchService',
        'sky_genesis.StreamingService',
      ]),
    );
    const service = (await grpcurl(address, 'describe', 'sky_genesis.MailService')).text;
    expect(service).toContain('rpc SendEmail ( .sky_genesis.SendEmailRequest ) returns ( .sky_genesis.SendEmailResponse );');
    expect(service).toContain('// Accepts one plain mail.');
    const options = (await grpcurl(address, 'describe', 'sky_genesis.EmailOptions')).text;
    expect(options).toContain('map<string, string> headers = 5;');
  });

  test.each(['', 'sky_genesis.MailService'])('health of "%s" is told without a token', async (service) => {
    expect((await grpcurl('-d', JSON.stringify({ service }), address, 'grpc.health.v1.Health/Check')).json).toEqual({ status: 'SERVING' });
  });

  test('a mail is accepted, arrives, and is told as sent', async () => {
    const sent = await call('SendEmail', { email: EMAIL });
    expect(sent).toMatchObject({
      code: Code.OK,
      json: { messageId: expect.stringMatching(/^msg_/), status: 'queued', timestamp: expect.any(String) },
    });
    const id = String(sent.json['messageId']);
    const mail = await stack.received(id);
    expect(mail).toContain(`Message-ID: <${id}@example.com>`);
    expect(mail).toContain('Subject: Test Email');
    expect(mail).toContain('Hello from gRPC!');
    const read = await eventually(
      () => call('GetEmail', { id }),
      ({ json }) => json['status'] === 'sent',
    );
    expect(read.json).toMatchObject({ email: { ...EMAIL, id }, recipients: [{ address: 'recipient@example.com', status: 'sent' }] });
  });

  test('it is found through SearchService, whose health is told as well', async () => {
    const searchAddress = `127.0.0.1:${stack.description.ports.search_grpc}`;
    const { json } = await call('SendEmail', { email: { ...EMAIL, subject: 'Found by grpcurl' } });
    const request = { query: 'subject:grpcurl', waitForId: json['messageId'], facets: ['to'] };
    const found = await grpcurl(...authorization, '-d', JSON.stringify(request), searchAddress, 'sky_genesis.SearchService/Search');
    expect(found).toMatchObject({
      code: Code.OK,
      json: {
        results: [{ id: json['messageId'], title: 'Found by grpcurl', kind: 'email', highlights: ['Found by <mark>grpcurl</mark>'] }],
        totalCount: 1,
        facets: [{ field: 'to', values: [{ value: 'recipient@example.com', count: '1' }] }],
      },
    });
    const health = await grpcurl('-d', '{"service": "sky_genesis.SearchService"}', searchAddress, 'grpc.health.v1.Health/Check');
    expect(health.json).toEqual({ status: 'SERVING' });
  });

  test('the seed’s faulty request is refused by the names of its fields', async () => {
    const answer = await call('SendEmail', { email: { from: 'test' } });
    expect(answer.code).toBe(Code.INVALID_ARGUMENT);
    expect(answer.details['google.rpc.BadRequest']).toContain('email.from');
    expect(answer.details['google.rpc.BadRequest']).toContain('email.to');
  });

  test.each([
    ['none', []],
    ['a wrong one', ['-H', 'authorization: Bearer e30.e30.e30']],
  ])('a token is needed: %s is refused', async (_name, headers) => {
    expect(await call('SendEmail', { email: EMAIL }, headers)).toMatchObject({
      code: Code.UNAUTHENTICATED,
      message: 'No valid auth token',
    });
  });
});
