import { type Caller, RuleError, rpcs } from '@sky-genesis/grpc';

/** Every scope that there is. */
export const scopes: ReadonlySet<string> = new Set(Object.values(rpcs).map(({ scope }) => scope));

/** What each of the product's own services may do on its own behalf, without a caller. */
export const serviceScopes: ReadonlyMap<string, readonly string[]> = new Map([['mail', ['search.write']]]);

const byName = new Map<string, { scope: string }>(Object.entries(rpcs));

/** @throws RuleError SCOPE_MISSING, which names the scope */
export function requireScope(caller: Caller, rpc: string | undefined): void {
  const scope = rpc === undefined ? undefined : byName.get(rpc)?.scope;
  if (scope === undefined) throw new RuleError('SCOPE_MISSING', 'no scope allows this call');
  if (!caller.scopes.has(scope)) throw new RuleError('SCOPE_MISSING', `the token lacks the scope ${scope}`);
}
