import { createHash, randomBytes } from 'node:crypto';
import { GatewayFixture } from '../../testing/gateway.fixture';
import { fieldsOf } from '../../testing/tus.client';

const fixture = new GatewayFixture();
const { files } = fixture;
const content = randomBytes(1_048_576 + 17);
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => files.reset());

const digestOf = (algorithm: string, bytes = content) => createHash(algorithm).update(bytes).digest('base64');
const upload = (body: Buffer | string, headers: Record<string, string>) =>
  fixture.ask('/api/v1/files', { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body), headers });

describe('a digest', () => {
  test.each([
    ['Content-Digest', `sha-256=:${digestOf('sha256')}:`],
    ['Repr-Digest', `sha-512=:${digestOf('sha512')}:, sha-256=:${digestOf('sha256')}:`],
    ['Content-Digest', `md5=:AAAA:, sha-256=:${digestOf('sha256')}:;a=1`],
    ['Content-Digest', 'unixsum=:AAAA:'],
  ])('that is right is no error: %s: %s', async (name, value) => {
    expect((await upload(content, { [name]: value })).status).toBe(201);
  });

  test.each(['Content-Digest', 'Repr-Digest'])('that is wrong is told with both, and nothing is left: %s', async (name) => {
    const wrong = digestOf('sha256', Buffer.from('another'));
    const { status, json } = await upload(content, { [name]: `sha-256=:${wrong}:` });
    expect([status, json.code]).toEqual([400, 'DIGEST_MISMATCH']);
    expect(json.detail).toContain(wrong);
    expect(json.detail).toContain(digestOf('sha256'));
    expect([files.uploads.size, files.chunks.some(({ last }) => last)]).toEqual([0, false]);
  });

  test.each(['sha-256', 'sha-256=abc', 'sha-256=:AAAA:', 'sha-256=:*:', '=::', 'SHA-256=:AAAA:'])(
    '%s is refused by name',
    async (value) => {
      const { status, json } = await upload('x', { 'content-digest': value });
      expect([status, fieldsOf(json), files.calls.length]).toEqual([400, ['Content-Digest'], 0]);
    },
  );
});
