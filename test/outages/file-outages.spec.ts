import { randomBytes } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMigrations } from '@sky-genesis/database';
import type { UploadStatus } from '@sky-genesis/proto';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { PostgresServer } from '../../tools/stack/postgres-server';
import { eventually } from '../eventually';
import { SmallDisk } from '../faults/full-disk';
import { FileClient, sha256 } from '../integration/file-client';
import { MailProcess } from '../integration/mail-process';
import { createDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { filesFolderOf, mailEnvironment, TestSystem } from '../integration/test-system';

const data = randomBytes(3_000_000);

async function rest(files: FileClient, fileId: string, received: string | undefined): Promise<void> {
  expect(await files.upload(data, { fileId, offset: received ?? '0' })).toEqual({ fileId, size: '3000000', sha256: sha256(data) });
  expect((await files.download({ fileId })).data.equals(data)).toBe(true);
}

/** Whatever a test leaves behind, however it went. */
const leavings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of leavings.splice(0).reverse()) await end();
});

async function started(settings: Record<string, string>) {
  const database = await createDatabase();
  leavings.push(() => database.drop());
  const environment = await mailEnvironment(database, new TestRelay(1), settings);
  await runMigrations(mailDatabase(readMailConfig(environment)));
  return { database, environment, ...(await again(environment)) };
}

async function again(environment: Record<string, string>) {
  const mail = await MailProcess.start(environment);
  const files = new FileClient(mail.grpcUrl);
  leavings.push(
    () => mail.kill('SIGKILL'),
    () => files.close(),
  );
  return { mail, files };
}

test('mail is killed in the middle: the same upload goes on at once with the next process', async () => {
  const { environment, mail, files } = await started({ FILES_SHARED: 'false' });
  const upload = files.begin();
  await upload.send({ data: data.subarray(0, 1_000_000) });
  const fileId = await upload.fileId;
  await mail.kill('SIGKILL');
  await upload.error();
  const { mail: next, files: more } = await again(environment);
  // Nothing was under a checkpoint: so early a death costs all that had come.
  const error = await more.upload(data, { fileId, offset: '1000000' }).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ reason: 'OFFSET_MISMATCH', details: { facts: { file_id: fileId, received: '0' } } });
  await rest(more, fileId, '0');
  expect(await next.kill('SIGTERM')).toBe(0);
}, 60_000);

test('mail is stopped in order: the stream is told to go on elsewhere, and nothing that came is lost', async () => {
  const { environment, mail, files } = await started({ FILES_SHARED: 'false' });
  const upload = files.begin();
  await upload.send({ data: data.subarray(0, 1_000_000) });
  const fileId = await upload.fileId;
  await upload.send({ offset: '1000000', data: data.subarray(1_000_000, 2_000_000) });
  const stopped = mail.kill('SIGTERM');
  const error = await upload.error();
  expect(error).toMatchObject({ reason: 'SERVER_DRAINING', details: { facts: { file_id: fileId } } });
  expect(await stopped).toBe(0);
  const { mail: next, files: more } = await again(environment);
  await rest(more, fileId, error.details.facts?.received);
  await next.kill('SIGTERM');
}, 60_000);

test('what a store failed with is in the log, for uploads and downloads, and in no answer', async () => {
  const { database, mail, files } = await started({ LOG_LEVEL: 'error' });
  const { fileId } = await files.upload(data);
  renameSync(filesFolderOf(database), `${filesFolderOf(database)}.away`);
  for (const failing of [() => files.upload(data), () => files.download({ fileId })]) {
    await expect(failing()).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE', message: expect.not.stringContaining('ENOENT') });
  }
  const causes = () => mail.lines.filter((line) => JSON.stringify(line).includes('ENOENT'));
  await eventually(causes, (lines) => lines.length >= 2);
}, 60_000);

test('PostgreSQL goes away in the middle: an error, and then the same upload goes on', async () => {
  const postgres = await PostgresServer.started();
  const database = { url: postgres.url, query: () => Promise.resolve([]), drop: () => postgres.remove() };
  const system = await TestSystem.start({ GRPC_TIMEOUT: '6' }, { database });
  const files = new FileClient(system.grpcUrl);
  try {
    const { fileId } = await system.grpc<UploadStatus>('createUpload', {}, { service: 'files' });
    const upload = files.begin();
    await upload.send({ fileId, data: data.subarray(0, 1_000_000) });
    await upload.fileId;
    await postgres.stop();
    await upload.send({ offset: '1000000', data: data.subarray(1_000_000, 2_000_000), last: true });
    expect(await upload.error()).toMatchObject({ code: 'UNAVAILABLE' });
    await postgres.start();
    const progress = () => system.grpc<UploadStatus>('getUpload', { fileId }, { service: 'files' }).catch(() => undefined);
    const back = await eventually(progress, (answer) => answer !== undefined);
    expect(back?.complete).toBe(false);
    // Its claim lapses, or was given back.
    await eventually(
      () => files.upload(data, { fileId, offset: back!.received }).catch((error: { reason: string }) => error),
      (answer) => !('reason' in answer && answer.reason === 'UPLOAD_BUSY'),
    );
    expect((await files.download({ fileId })).data.equals(data)).toBe(true);
  } finally {
    files.close();
    await system.stop();
  }
}, 90_000);

describe('the store fails', () => {
  let system: TestSystem;
  let files: FileClient;
  beforeAll(async () => {
    system = await TestSystem.start();
    files = new FileClient(system.grpcUrl);
  }, 60_000);
  afterAll(async () => {
    files?.close();
    await system?.stop();
  });

  test('its folder is away: no file is called lost, and none is half-visible; when it is back all goes on', async () => {
    const { fileId } = await files.upload(data);
    const folder = filesFolderOf(system.database);
    renameSync(folder, `${folder}.away`);
    const away = { reason: 'STORE_UNAVAILABLE', code: 'UNAVAILABLE' };
    await expect(files.download({ fileId })).rejects.toMatchObject(away);
    await expect(files.upload(data)).rejects.toMatchObject(away);
    renameSync(`${folder}.away`, folder);
    expect((await files.download({ fileId })).data.equals(data)).toBe(true);
    expect(await system.database.query('select from file')).toHaveLength(1);
  });

  test('bytes that are gone are told as lost, and never as an empty file', async () => {
    const { fileId } = await files.upload(Buffer.from('gone'));
    rmSync(join(filesFolderOf(system.database), 'objects', fileId.slice(-2)), { recursive: true });
    await expect(files.download({ fileId })).rejects.toMatchObject({ reason: 'CONTENT_LOST', code: 'DATA_LOSS' });
  });
});

test('a full disk: RESOURCE_EXHAUSTED, nothing half-visible; with room again the same upload goes on', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'sge-small-')), 'disk');
  const disk = SmallDisk.mounted(folder, 16);
  if (!disk) {
    // Where no file system can be mounted, the local store's own suite shows it with a planted error.
    expect(process.getuid?.() === 0 && process.env.CI).toBeFalsy();
    return;
  }
  const system = await TestSystem.start({ FILES_DIR: folder });
  const files = new FileClient(system.grpcUrl);
  try {
    disk.fill();
    const upload = files.begin();
    for (let at = 0; at < data.length; at += 500_000) {
      await upload.send({ offset: String(at), data: data.subarray(at, at + 500_000), last: at + 500_000 === data.length });
    }
    const error = await upload.error();
    expect(error).toMatchObject({ reason: 'STORE_FULL', code: 'RESOURCE_EXHAUSTED', details: { facts: { file_id: await upload.fileId } } });
    expect(await system.database.query('select from file union all select from content')).toEqual([]);
    disk.relieve();
    await rest(files, await upload.fileId, error.details.facts?.received);
  } finally {
    files.close();
    await system.stop();
    disk.unmount();
  }
}, 60_000);
