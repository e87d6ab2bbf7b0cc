import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeObjectStore } from '../../apps/mail/testing/object-store.conformance';
import { LocalObjectStore } from '../../apps/mail/src/files/local/local.object-store';
import { LocalStoreIdentity } from '../../apps/mail/src/files/local/local-store.identity';

/** As few as S3's parts may be: what is shown does not depend on it, and takes less time. */
const CHECKPOINT_BYTES = 5 * 1024 * 1024;

describeObjectStore('local', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sge-local-store-'));
  await new LocalStoreIdentity(folder).established();
  return {
    store: new LocalObjectStore(folder, CHECKPOINT_BYTES),
    another: () => new LocalObjectStore(folder, CHECKPOINT_BYTES),
    leftOf: async (id) =>
      ['incoming', 'objects']
        .map((name) => join(folder, name))
        .filter((path) => existsSync(path))
        .flatMap((path) => readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(id))),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
});
