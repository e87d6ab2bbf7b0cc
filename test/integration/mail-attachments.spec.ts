import { randomBytes } from 'node:crypto';
import { eventually } from '../eventually';
import { TestSystem, token } from './test-system';

const data = randomBytes(5_000_000);

let system: TestSystem;

beforeAll(async () => {
  system = await TestSystem.start({ MAIL_RETRY_BASE_SECONDS: '1' });
}, 60_000);
afterAll(() => system?.stop());

const bearer = () => ({ authorization: `Bearer ${token()}` });
const upload = async (body: Buffer, query: string) => {
  const answer = await fetch(`${system.url}/api/v1/files${query}`, { method: 'POST', body: new Uint8Array(body), headers: bearer() });
  return { body: (await answer.json()) as Record<string, string> };
};

describe('a mail’s attachments', () => {
  const send = async (body: object) => {
    const answer = await system.rest('POST', '/api/v1/mail/send', { body: { to: ['x@example.com'], ...body } });
    expect(answer.status).toBe(202);
    return String(answer.body.message_id);
  };

  test('a file cannot be deleted while a mail waits for it; the mail that was sent keeps it', async () => {
    const { body } = await upload(data, '?filename=plans.pdf');
    const later = Math.floor(Date.now() / 1000) + 600;
    const waiting = await send({ attachments: [{ file_id: body.file_id }], send_at: later });
    const remove = () => system.rest('DELETE', `/api/v1/files/${body.file_id}`);
    expect(await remove()).toMatchObject({ status: 409, body: { code: 'FILE_IN_USE' } });
    await system.rest('POST', `/api/v1/mail/${waiting}/cancel`);
    const id = await send({
      attachments: [{ file_id: body.file_id }, { filename: 'note.txt', content: Buffer.from('hello').toString('base64') }],
    });
    await eventually(
      async () => (await system.rest('GET', `/api/v1/mail/${id}`)).body.status,
      (status) => status === 'sent',
    );
    expect((await remove()).status).toBe(204);
    expect((await system.rest('GET', `/api/v1/files/${body.file_id}`)).status).toBe(404);
    const attachment = (n: number | string, headers = {}) =>
      fetch(`${system.url}/api/v1/mail/${id}/attachments/${n}`, { headers: { ...bearer(), ...headers } });
    expect(Buffer.from(await (await attachment(0)).arrayBuffer()).equals(data)).toBe(true);
    const part = await attachment(0, { range: 'bytes=10-19' });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, data.subarray(10, 20)]);
    expect(await (await attachment(1)).text()).toBe('hello');
    expect((await attachment(2)).status).toBe(404);
    expect((await attachment('x')).status).toBe(400);
    const [received] = system.relay.received(id);
    expect(received).toBeDefined();
    const parsed = await system.relay.parsed(id);
    expect(parsed.attachments[0]!.content.equals(data)).toBe(true);
  });

  test('they need the scope of mail, too', async () => {
    const id = await send({ attachments: [{ filename: 'a.txt', content: 'aGVsbG8=' }] });
    const { status, body } = await system.rest('GET', `/api/v1/mail/${id}/attachments/0`, { token: token({ scope: 'files.read' }) });
    expect([status, body.code]).toEqual([403, 'SCOPE_MISSING']);
  });
});
