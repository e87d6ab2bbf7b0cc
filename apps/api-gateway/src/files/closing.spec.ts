import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { eventually } from '../../../../test/eventually';
import { GatewayFixture, tokenFor } from '../../testing/gateway.fixture';
import { SlowBody } from '../../testing/slow-body.client';

const MEGABYTE = 1_048_576;

async function start(grace: string) {
  const fixture = await new GatewayFixture().start({ DRAIN_SECONDS: grace });
  return { fixture, files: fixture.files };
}

test('an upload and a download that run end within the grace', async () => {
  const { fixture, files } = await start('60');
  const { fileId } = files.put(Buffer.alloc(32 * MEGABYTE));
  const asked = request(`${fixture.url}/api/v1/files/${fileId}`, { headers: { authorization: `Bearer ${tokenFor()}` } });
  asked.end();
  const [download] = (await once(asked, 'response')) as [IncomingMessage];
  const upload = new SlowBody(fixture, 'POST', '/api/v1/files', { 'content-length': '2' });
  await upload.write(Buffer.from('a'));
  await eventually(() => files.calls.some(({ method }) => method === 'createUpload'), Boolean);
  const closed = fixture.stop();
  upload.request.end('b');
  expect((await upload.answer()).status).toBe(201);
  let received = 0;
  for await (const chunk of download) received += (chunk as Buffer).length;
  expect(received).toBe(32 * MEGABYTE);
  await closed;
});

test('a download that does not end within the grace is cut, and its call cancelled', async () => {
  const { fixture, files } = await start('0');
  const { fileId } = files.put(Buffer.alloc(64 * MEGABYTE));
  const asked = request(`${fixture.url}/api/v1/files/${fileId}`, { headers: { authorization: `Bearer ${tokenFor()}` } });
  asked.end();
  const [download] = (await once(asked, 'response')) as [IncomingMessage];
  const cut = once(download, 'error');
  await fixture.close();
  download.resume();
  await cut;
  await files.last.cancelled;
  fixture.mail.stop();
});
