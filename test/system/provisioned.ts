import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root';

const PROVISION = join(ROOT, '.provision');

type Part = 'grpcurl' | 'docker' | 'versitygw' | 'nginx' | 'curl-http3' | 'h2spec' | 'go-http3' | 'etcd';

/**
 * `describe` for a suite that needs parts of tools/provision. Where one cannot be had, the suite is left out on a
 * person's machine, with a line that says why, and fails in CI.
 */
export function describeWith(...parts: Part[]): jest.Describe {
  const reasonOf = (part: Part): string => join(PROVISION, 'missing', part);
  const missing = parts.find((part) => existsSync(reasonOf(part)));
  if (missing === undefined) return describe;
  const why = `${missing} is missing: ${readFileSync(reasonOf(missing), 'utf8').trim()}`;
  if (process.env['CI'] === 'true') throw new Error(why);
  console.warn(`LEFT OUT: ${why}`);
  return describe.skip;
}

export const grpcurlPath = join(PROVISION, 'bin', 'grpcurl');

export const versitygwPath = join(PROVISION, 'bin', 'versitygw');

export const nginxPath = join(PROVISION, 'nginx', 'sbin', 'nginx');

/** curl, with HTTP/3. */
export const curlPath = join(PROVISION, 'curl-http3', 'bin', 'curl');

export const h2specPath = join(PROVISION, 'bin', 'h2spec');

/** The HTTP/3 client of test/edge/go-http3. */
export const goHttp3Path = join(PROVISION, 'bin', 'go-http3');

export const etcdPath = join(PROVISION, 'bin', 'etcd');
/** The client of test/mesh/go-compression. */
export const goCompressionPath = join(PROVISION, 'bin', 'go-compression');

/** What examples/go comes to. */
export const goExamplePath = join(PROVISION, 'bin', 'go-example');
