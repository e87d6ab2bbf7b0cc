import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the repository, from a source and from what is built of it alike. */
export const ROOT = rootOf(__dirname);

function rootOf(folder: string): string {
  return existsSync(join(folder, 'package-lock.json')) ? folder : rootOf(dirname(folder));
}
