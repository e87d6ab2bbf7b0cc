import { createHash, randomBytes } from 'node:crypto';
import { eventually } from '../../../../../test/eventually';
import { sizeOf } from '../../../testing/fake-files.service';
import { GatewayFixture } from '../../../testing/gateway.fixture';
import { SlowBody } from '../../../testing/slow-body.client';
import { fieldsOf, PIECE, told, tusOf } from '../../../testing/tus.client';

const fixture = new GatewayFixture();
const { files } = fixture;
const { create, patch } = tusOf(fixture);
const content = randomBytes(1_048_576 + 7);
beforeAll(() => fixture.start());
afterAll(() => fixture.stop());
beforeEach(() => files.reset());

const hash = (algorithm: string, bytes: Buffer) => `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`;

describe('a checksum', () => {
  test.each(['sha1', 'md5', 'sha256', 'sha512'])('of %s that is right is no error', async (algorithm) => {
    const path = await create(content.length);
    expect(told(await patch(path, 0, content, { 'upload-checksum': hash(algorithm, content) }))).toEqual([204, String(content.length)]);
    expect(files.only.complete).toBe(true);
  });

  test('that is wrong drops its piece, and only that', async () => {
    const path = await create(content.length);
    await patch(path, 0, content.subarray(0, 10));
    const wrong = hash('sha1', Buffer.from('another'));
    const { status, headers, json } = await patch(path, 10, content.subarray(10), { 'upload-checksum': wrong });
    expect([status, json.code, headers.get('tus-resumable')]).toEqual([460, 'CHECKSUM_MISMATCH', '1.0.0']);
    expect(json.detail).toContain(wrong.replace('sha1 ', ''));
    expect([sizeOf(files.only), files.only.busy, files.only.complete]).toEqual([10, false, false]);
    expect(told(await patch(path, 10, content.subarray(10)))).toEqual([204, String(content.length)]);
  });

  test('whose piece breaks off drops it', async () => {
    const path = await create(content.length);
    const sending = new SlowBody(fixture, 'PATCH', `/api/v1/uploads${path}`, {
      ...PIECE,
      'upload-offset': '0',
      'content-length': String(content.length),
      'upload-checksum': hash('sha1', content),
    });
    await sending.write(content.subarray(0, 600_000));
    await eventually(
      () => files.receivedBytes,
      (bytes) => bytes > 0,
    );
    sending.request.destroy();
    await eventually(
      () => files.only.busy,
      (busy) => !busy,
    );
    expect(sizeOf(files.only)).toBe(0);
  });

  test.each(['crc32 AAAA', 'sha1', 'sha1 !', 'sha1 AAAA b'])('"%s" is refused by name', async (checksum) => {
    const path = await create(content.length);
    const { status, json } = await patch(path, 0, 'x', { 'upload-checksum': checksum });
    expect([status, fieldsOf(json)]).toEqual([400, ['Upload-Checksum']]);
  });
});
