import { GatewayFixture } from '../../testing/gateway.fixture';

const fixture = new GatewayFixture();
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());

const statusOf = async (path: string) => (await fetch(`${fixture.url}${path}`)).status;

test('live asks nobody', async () => expect(await statusOf('/health/live')).toBe(200));

test('ready says what the mail service says', async () => {
  expect(await statusOf('/health/ready')).toBe(200);
  fixture.mail.serving = false;
  let response: Response;
  do response = await fetch(`${fixture.url}/health/ready`);
  while (response.status === 200);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ status: 'error', details: { mail: { status: 'down' } } });
});

test('metrics are open', async () => expect(await statusOf('/metrics')).toBe(200));
