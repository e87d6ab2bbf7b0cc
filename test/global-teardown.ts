import { rmSync } from 'node:fs';

export default async function removeTestPostgres(): Promise<void> {
  await globalThis.testPostgres?.remove();
  rmSync(process.env.TEST_FILES_DIR!, { recursive: true, force: true });
}
