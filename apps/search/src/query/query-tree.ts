import type { QueryNode } from './query';

/** What a tree is put together with: alike nodes are merged, single ones stand for themselves, a double negation is none. */
export const allOf = (nodes: readonly QueryNode[]): QueryNode => joined('all', nodes);
export const anyOf = (nodes: readonly QueryNode[]): QueryNode => joined('any', nodes);
export const notOf = (node: QueryNode): QueryNode => (node.kind === 'not' ? node.of : { kind: 'not', of: node });

function joined(kind: 'all' | 'any', nodes: readonly QueryNode[]): QueryNode {
  const of = nodes.flatMap((node) => (node.kind === kind ? node.of : [node]));
  const [first] = of;
  return first && of.length === 1 ? first : { kind, of };
}

/** How many nodes the longest way from the root to a leaf has, both included. */
export function depthOf(node: QueryNode): number {
  switch (node.kind) {
    case 'all':
    case 'any':
      return 1 + Math.max(0, ...node.of.map(depthOf));
    case 'not':
      return 1 + depthOf(node.of);
    default:
      return 1;
  }
}
