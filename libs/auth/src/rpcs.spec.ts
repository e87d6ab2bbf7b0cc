import { RuleError } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { ANONYMOUS } from './caller-claims';
import { requireScope, rpcScopes } from './rpc-scopes';

test('every RPC of the contract has its scope, and nothing else has one', () => {
  const rpcs = Object.values(loadPackage())
    .filter((entry) => !('format' in entry))
    .flatMap((service) => Object.values(service))
    .map(({ path }) => path)
    .filter((path) => path.startsWith('/sky_genesis.'))
    .map((path) => path.slice('/sky_genesis.'.length));
  expect(rpcs.length).toBeGreaterThan(0);
  expect(Object.keys(rpcScopes).sort()).toEqual(rpcs.sort());
});

test.each([undefined, '', 'MailService/Unknown', '__proto__', 'constructor'])('an RPC that is not in the table is refused: %s', (rpc) => {
  expect(() => requireScope(ANONYMOUS, rpc)).toThrow(RuleError);
});
