import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadPackage } from '@sky-genesis/proto';
import { contractConf, grpcProblemsConf, problemsConf } from './edge.document';

const CONF = join(__dirname, '..', '..', 'nginx-quic', 'conf');

/** `npm run generate:edge` writes them. */
test.each([
  ['contract.conf', contractConf()],
  ['problems.conf', problemsConf()],
  ['grpc-problems.conf', grpcProblemsConf()],
])('%s is that of the tables of errors and RPCs', (file, text) => {
  const path = join(CONF, file);
  if (process.env.WRITE_EDGE) writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('the streams that the edge knows are those of the contract, of health and of reflection', () => {
  const [, pattern] = /^location ~ (\S+) \{/m.exec(readFileSync(join(CONF, 'grpc.conf'), 'utf8')) ?? [];
  const isStream = new RegExp(pattern!);
  const rpcs = Object.values(loadPackage()).flatMap((definition) =>
    'format' in definition
      ? []
      : Object.values(definition as Record<string, { path: string; requestStream: boolean; responseStream: boolean }>),
  );
  expect(rpcs.length).toBeGreaterThan(20);
  for (const { path, requestStream, responseStream } of rpcs) {
    expect([path, isStream.test(path)]).toEqual([path, requestStream || responseStream]);
  }
  for (const version of ['v1', 'v1alpha']) {
    expect(isStream.test(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`)).toBe(true);
  }
});
