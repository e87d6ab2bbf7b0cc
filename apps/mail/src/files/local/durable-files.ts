import { randomUUID } from 'node:crypto';
import { link, mkdir, open, rename, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** What was made, moved or removed in a folder stays so after a crash. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a folder in one that is there, unless it is there already. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: FOLDER_MODE });
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The same with all folders above it. */
export async function makeFolders(path: string): Promise<void> {
  const first = await mkdir(path, { mode: FOLDER_MODE, recursive: true });
  if (first === undefined) return;
  for (let folder = path; folder.length >= first.length; folder = dirname(folder)) await syncFolder(dirname(folder));
}

/** Makes a file that is there whole or not at all. One that is there already stays as it is. */
export async function writeOnce(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  const file = await open(aside, 'wx', FILE_MODE);
  try {
    await file.writeFile(text);
    await file.sync();
    // Unlike a rename, a link never replaces what another instance was first to write.
    await link(aside, path).catch(async (error: unknown) => {
      if (hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) await rename(aside, path);
      else if (!hasCode(error, 'EEXIST')) throw error;
    });
  } finally {
    await file.close();
    await rm(aside, { force: true });
  }
  await syncFolder(dirname(path));
}

/** @returns whether it was there */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

export const isMissing = (error: unknown): boolean => hasCode(error, 'ENOENT');

export const hasCode = (error: unknown, ...codes: string[]): boolean => codes.includes(String((error as NodeJS.ErrnoException).code));
