import { randomBytes } from 'node:crypto';
import { eventually } from '../eventually';
import { FileClient, sha256 } from './file-client';
import { TestSystem } from './test-system';

let system: TestSystem;
let files: FileClient;

beforeAll(async () => {
  system = await TestSystem.start({ GRPC_STREAM_IDLE_TIMEOUT: '4' });
  files = new FileClient(system.grpcUrl);
}, 60_000);
afterAll(async () => {
  files?.close();
  await system?.stop();
});

describe('a part of a file', () => {
  const data = randomBytes(1_000_000);
  let fileId: string;
  beforeAll(async () => void ({ fileId } = await files.upload(data)));

  test.each([
    [0, 1],
    [999_999, 1],
    [1, 999_998],
    [262_144, 262_144],
    [500_000, 0],
    [999_990, 1000],
    [0, Number.MAX_SAFE_INTEGER],
    [1_000_000, 0],
  ])('from %i, %i bytes', async (offset, length) => {
    const { header, data: part } = await files.download({ fileId, offset, length });
    expect(part.equals(data.subarray(offset, length === 0 ? undefined : offset + length))).toBe(true);
    expect(header).toMatchObject({ offset: String(offset), totalSize: '1000000', sha256: sha256(data) });
  });

  test.each<[string, object, object]>([
    [
      'beyond the end',
      { offset: 1_000_001 },
      { reason: 'RANGE_NOT_SATISFIABLE', code: 'OUT_OF_RANGE', details: { facts: { size: '1000000' } } },
    ],
    ['before the beginning', { offset: -1 }, { reason: 'INVALID_ARGUMENT' }],
    ['of a negative length', { length: -1 }, { reason: 'INVALID_ARGUMENT' }],
    ['beyond int64 of JSON', { offset: '9007199254740993' }, { reason: 'INVALID_ARGUMENT' }],
    ['with two sources', { messageId: 'msg_x' }, { reason: 'INVALID_ARGUMENT' }],
    ['with an index of nothing', { attachmentIndex: 1 }, { reason: 'INVALID_ARGUMENT' }],
  ])('%s', async (_, over, error) => {
    await expect(files.download({ fileId, ...over })).rejects.toMatchObject(error);
  });
});

test("a download that nobody takes is ended, for its place is another's", async () => {
  // More than a client of grpc-js and the sockets hold.
  const { fileId } = await files.upload(randomBytes(24 * 1024 * 1024), {}, 1_048_576);
  const client = new FileClient(system.grpcUrl);
  const call = client.open({ fileId });
  const ended = new Promise<number>((resolve) => call.on('error', (error) => resolve((error as unknown as { code: number }).code)));
  // One that was never read grpc-js does not hold back.
  call.once('data', () => call.pause());
  const answers = async () =>
    (await (await fetch(`${system.healthUrl}/metrics`)).text()).match(/^grpc_responses_total\{.*DownloadFile.*$/gm) ?? [];
  await eventually(answers, (found) => found.some((line) => line.includes('CANCELLED')));
  call.resume();
  expect(await ended).toBe(1);
  client.close();
}, 60_000);
