import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolderLock } from './data-folder.lock';
import { processIdentity } from './process-identity';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const leave = (holder: unknown): void => writeFileSync(join(folder, 'lock'), JSON.stringify(holder));
const holder = (): unknown => JSON.parse(readFileSync(join(folder, 'lock'), 'utf8'));

test('a lock is held until it is released', () => {
  const lock = DataFolderLock.acquire(folder);
  expect(() => DataFolderLock.acquire(folder)).toThrow(`pid ${process.pid}`);
  lock.release();
  expect(DataFolderLock.acquire(folder).takenOver).toBe(false);
  expect(readdirSync(folder)).toEqual(['lock']);
});

test('the lock of a dead process is taken over', () => {
  leave({ pid: spawnSync(process.execPath, ['-e', '0']).pid, identity: 'gone' });
  expect(DataFolderLock.acquire(folder).takenOver).toBe(true);
  expect(holder()).toEqual({ pid: process.pid, identity: processIdentity(process.pid) });
  expect(readdirSync(folder)).toEqual(['lock']);
});

test('so is one whose pid another process got since', () => {
  leave({ pid: process.ppid, identity: 'an earlier process' });
  expect(DataFolderLock.acquire(folder).takenOver).toBe(true);
});

test('that of a living process is not', () => {
  leave({ pid: process.ppid, identity: processIdentity(process.ppid) });
  expect(() => DataFolderLock.acquire(folder)).toThrow(`pid ${process.ppid}`);
  expect(readdirSync(folder)).toEqual(['lock']);
});

test('a lock that says nothing is stale', () => {
  writeFileSync(join(folder, 'lock'), '');
  expect(DataFolderLock.acquire(folder).takenOver).toBe(true);
});
