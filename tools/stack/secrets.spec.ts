import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSecrets } from './secrets';

const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('keys are made once, for their owner alone', () => {
  const files = makeSecrets(folder);
  const contents = (): string[] => Object.values(files).map((path) => readFileSync(path as string, 'utf8'));
  const made = contents();
  expect(Buffer.from(made[0] ?? '', 'base64url')).toHaveLength(32);
  expect(Buffer.from(readFileSync(files.pageTokenKey, 'utf8'), 'base64url')).toHaveLength(32);
  expect(createPrivateKey(readFileSync(files.serviceKey)).asymmetricKeyType).toBe('ed25519');
  for (const path of Object.values(files)) expect(statSync(path as string).mode & 0o777).toBe(0o600);
  makeSecrets(folder);
  expect(contents()).toEqual(made);
  expect(readdirSync(folder)).toHaveLength(4);
});
