import type { QueryNode } from '../query/query';

export type TextNode = Extract<QueryNode, { kind: 'text' }>;

/** The texts that a hit may be there for: those that are not excluded. */
export function positiveTexts(node: QueryNode): TextNode[] {
  return collect(node, true);
}

function collect(node: QueryNode, positive: boolean): TextNode[] {
  switch (node.kind) {
    case 'text':
      return positive ? [node] : [];
    case 'not':
      return collect(node.of, !positive);
    case 'all':
    case 'any':
      return node.of.flatMap((child) => collect(child, positive));
    case 'equals':
    case 'range':
      return [];
  }
}
