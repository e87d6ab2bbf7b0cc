import { randomBytes } from 'node:crypto';
import { renameSync, rmSync, writeFileSync } from 'node:fs';

/** Writes a file that only its owner reads; a reader, or a crash, never meets half of it. */
export function writeWhole(path: string, text: string): void {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(aside, text, { mode: 0o600, flag: 'wx' });
    renameSync(aside, path);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}
