import { tokenCommand } from '../../tools/token/token.command';
import { type CaseToken, documents, scopesOf, searchCases } from '../search-cases';
import { changeCases } from '../search-change-cases';
import { type AskOptions, changeOn, expectChange, expectSearch, RestWire, searchOn, type SearchWire } from '../search-wires';
import { TestStack } from '../stack';
import { GrpcurlWire } from './grpcurl-wire';
import { describeWith } from './provisioned';

const OWN: AskOptions = { token: 'own', timeoutMs: undefined };

describeWith('grpcurl')('grpcurl and REST, on the stack as it is started', () => {
  let stack: TestStack;
  let grpc: SearchWire;
  let rest: SearchWire;

  beforeAll(async () => {
    stack = await TestStack.started();
    const { ports, urls } = stack.description;
    grpc = new GrpcurlWire(`127.0.0.1:${ports.search_grpc}`, (which) => tokenOf('grpc', which));
    rest = new RestWire(async ({ method, path, body, headers, token }) => {
      const own = tokenOf('rest', token);
      const answer = await fetch(`${urls.gateway}${path}`, {
        method,
        headers: {
          ...headers,
          ...(own !== null && { authorization: `Bearer ${own}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    });
    for (const wire of [grpc, rest]) {
      for (const document of documents) expect(await wire.index(document, OWN)).toEqual({ answer: 'created' });
      for (const { id } of documents) await wire.search({ waitForId: id }, OWN);
    }
  }, 120_000);

  afterAll(() => stack.remove(), 60_000);

  /** Each wire has a tenant of its own: what one puts is not there for the other. */
  const tokenOf = (tenant: string, which: CaseToken): string | null =>
    which === 'none'
      ? null
      : tokenCommand(['--sub', 'alice', '--tenant', tenant, '--scope', scopesOf[which]], { SGE_DATA_DIR: stack.dataFolder });

  test.each(searchCases)('a search: $what', async (each) => {
    const [byGrpc, byRest] = await Promise.all([searchOn(grpc, each), searchOn(rest, each)]);
    expectSearch(each, byGrpc, byRest);
  });

  // In order: a change builds on the one before.
  test.each(changeCases)('a change: $what', async (each) => {
    const [byGrpc, byRest] = await Promise.all([changeOn(grpc, each), changeOn(rest, each)]);
    expectChange(each, byGrpc, byRest);
  });
});
