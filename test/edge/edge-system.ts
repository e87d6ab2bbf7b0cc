import { embeddedSearch } from '../integration/test-search';
import { TestSystem, token } from '../integration/test-system';
import type { Behind } from './test-edge';
import { TestEdge } from './test-edge';

/** Mail, search and gateway with a real edge in front of them. */
export interface EdgeSystem {
  system: TestSystem;
  edge: TestEdge;
  behind: Behind;
  stop(): Promise<void>;
}

export async function startEdgeSystem(
  settings: { edge?: Record<string, string>; apps?: Record<string, string> } = {},
): Promise<EdgeSystem> {
  const system = await TestSystem.start(settings.apps, { search: embeddedSearch() });
  const behind = { gateway: new URL(system.url).host, mail: system.grpcUrl, search: system.search.grpcUrl };
  const edge = await TestEdge.start(behind, settings.edge).catch(async (error: unknown) => {
    await system.stop();
    throw error;
  });
  return {
    system,
    edge,
    behind,
    stop: async () => {
      await edge.remove();
      await system.stop();
    },
  };
}

/** What a caller sends on both wires. */
export const bearer = (claims: Parameters<typeof token>[0] = {}): { authorization: string } => ({
  authorization: `Bearer ${token(claims)}`,
});
