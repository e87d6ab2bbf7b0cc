import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { processIdentity } from './process-identity';
import { StartError } from './start-error';

interface Holder {
  pid: number;
  /** Of the process: another one that got its pid does not hold the lock. */
  identity: string;
}

/** Held by the one stack that runs on a data folder. */
export class DataFolderLock {
  private constructor(
    private readonly path: string,
    /** Whether the stack that held the lock before was killed, so that its processes may still be ending. */
    readonly takenOver: boolean,
  ) {}

  /** @throws StartError when another stack runs on this folder */
  static acquire(folder: string): DataFolderLock {
    const path = join(folder, 'lock');
    const own = `${path}.${randomBytes(4).toString('hex')}`;
    const identity = processIdentity(process.pid) ?? '';
    writeFileSync(own, JSON.stringify({ pid: process.pid, identity } satisfies Holder), { mode: 0o600 });
    try {
      if (link(own, path)) return new DataFolderLock(path, false);
      setAsideStaleLock(path, folder);
      if (link(own, path)) return new DataFolderLock(path, true);
      throw inUse(folder, readHolder(path));
    } finally {
      rmSync(own, { force: true });
    }
  }

  release(): void {
    rmSync(this.path, { force: true });
  }
}

/** Two that meet a stale lock at once: only one of them moves the stale one away, the other puts back what it moved. */
function setAsideStaleLock(path: string, folder: string): void {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  if (isHeld(readHolder(path))) throw inUse(folder, readHolder(path));
  try {
    renameSync(path, aside);
    const holder = readHolder(aside);
    if (isHeld(holder)) {
      link(aside, path);
      throw inUse(folder, holder);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

const isHeld = (holder: Holder | undefined): boolean => holder !== undefined && processIdentity(holder.pid) === holder.identity;

const inUse = (folder: string, holder: Holder | undefined): StartError =>
  new StartError(
    `A stack is running on ${folder} already${holder ? ` (pid ${holder.pid})` : ''}. End it, or set SGE_DATA_DIR to another folder.`,
  );
