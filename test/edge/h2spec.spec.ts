import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { h2specPath } from '../system/provisioned';
import { deviations } from './h2spec.deviations';
import { TestEdge } from './test-edge';

/** Reads all of a request, and answers a moment later: what h2spec sends meanwhile is met by a stream that is still there. */
const upstream = createServer((request, response) => {
  request
    .on('error', () => undefined)
    .on('end', () => void setTimeout(() => response.end('an answer'), 50))
    .resume();
});
let edge: TestEdge;
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  edge = await TestEdge.start({ gateway: `127.0.0.1:${(upstream.address() as AddressInfo).port}` });
}, 30_000);
afterAll(async () => {
  await edge?.remove();
  upstream.close();
});

test('h2spec: HTTP/2 is as RFC 9113 and RFC 7541 have it, but for the deviations that are named', async () => {
  const report = edge.fileOf('h2spec.xml');
  const at = ['--host', '127.0.0.1', '--port', String(edge.port), '--path', '/api/v1/mail', '--tls', '--insecure'];
  // It ends with 1, as some fail.
  await promisify(execFile)(h2specPath, [...at, '--timeout', '1', '--junit-report', report], { timeout: 200_000 }).catch(() => undefined);
  const { run, failed } = casesOf(readFileSync(report, 'utf8'));
  expect(run).toBe(145);
  // Some are a matter of what comes first, and may hold.
  const named = new Set<string>(Object.values(deviations).flat());
  expect(failed.filter((each) => !named.has(each))).toEqual([]);
  expect(edge.errors).not.toContain('exited on signal');
}, 240_000);

/** Of a report of JUnit as h2spec writes it. */
function casesOf(report: string): { run: number; failed: string[] } {
  const cases = [...report.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([^]*?)<\/testcase>/g)];
  const failed = cases.filter(([, , , result]) => /<(failure|error)/.test(result!));
  return {
    run: cases.length,
    failed: failed.map(([, section, name]) => `${section} ${name!.replaceAll('&#34;', '"').replaceAll('&quot;', '"')}`),
  };
}
