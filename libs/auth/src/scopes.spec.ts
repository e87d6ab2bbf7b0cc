import { readOnlyRpcs, RuleError, rpcs } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { ANONYMOUS } from './caller-claims';
import { requireScope } from './scopes';

const paths = Object.values(loadPackage())
  .filter((entry) => !('format' in entry))
  .flatMap((service) => Object.values(service))
  .map(({ path }) => path);

test('every RPC of the contract is decided, and nothing else is', () => {
  const contract = paths.filter((path) => path.startsWith('/sky_genesis.')).map((path) => path.slice('/sky_genesis.'.length));
  expect(contract.length).toBeGreaterThan(0);
  expect(Object.keys(rpcs).sort()).toEqual(contract.sort());
});

test('what only reads is named twice, here and in the table: it may be replayed', () => {
  expect([...readOnlyRpcs].sort()).toEqual([
    '/grpc.health.v1.Health/Check',
    '/grpc.health.v1.Health/List',
    '/grpc.health.v1.Health/Watch',
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    '/sky_genesis.MailService/GetEmail',
    '/sky_genesis.MailService/ListEmails',
    '/sky_genesis.MailService/ListEvents',
    '/sky_genesis.MailService/WatchEvents',
    '/sky_genesis.SearchService/Search',
    '/sky_genesis.StreamingService/DownloadFile',
    '/sky_genesis.StreamingService/GetFile',
    '/sky_genesis.StreamingService/GetUpload',
  ]);
  const health = paths.filter((path) => path.startsWith('/grpc.health.'));
  expect(health.filter((path) => !readOnlyRpcs.has(path))).toEqual([]);
});

test.each([undefined, '', 'MailService/Unknown', '__proto__', 'constructor'])('an RPC that is not in the table is refused: %s', (rpc) => {
  expect(() => requireScope(ANONYMOUS, rpc)).toThrow(RuleError);
});
