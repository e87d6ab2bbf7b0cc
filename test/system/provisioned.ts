import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PROVISION = resolve(__dirname, '../../.provision');

/**
 * `describe` for a suite that needs a part of tools/provision. Where the part cannot be had, the suite is left out on a
 * person's machine, with a line that says why, and fails in CI.
 */
export function describeWith(part: 'grpcurl' | 'docker' | 'versitygw' | 'nginx'): jest.Describe {
  const missing = join(PROVISION, 'missing', part);
  if (!existsSync(missing)) return describe;
  const why = `${part} is missing: ${readFileSync(missing, 'utf8').trim()}`;
  if (process.env['CI'] === 'true') throw new Error(why);
  console.warn(`LEFT OUT: ${why}`);
  return describe.skip;
}

export const grpcurlPath = join(PROVISION, 'bin', 'grpcurl');

export const versitygwPath = join(PROVISION, 'bin', 'versitygw');

export const nginxPath = join(PROVISION, 'nginx', 'sbin', 'nginx');
