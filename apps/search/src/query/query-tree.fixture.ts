import type { QueryNode } from './query';

/** A tree on one line, to compare in tables: `all("a", any(from"b", !status=sent), "c"*, "word"~, size>10)`. */
export function treeText(node: QueryNode): string {
  switch (node.kind) {
    case 'all':
    case 'any':
      return `${node.kind}(${node.of.map(treeText).join(', ')})`;
    case 'not':
      return `!${treeText(node.of)}`;
    case 'text':
      return `${node.field ?? ''}"${node.text}"${{ phrase: '', prefix: '*', fuzzy: '~' }[node.match]}`;
    case 'equals':
      return `${node.field}=${node.values.join('|')}`;
    case 'range':
      return `${node.field}${node.comparison}${node.value}`;
  }
}

const operatorOf = { title: 'subject', content: 'body', from: 'from', to: 'to', cc: 'cc', bcc: 'bcc', filename: 'filename' } as const;

/** A query that reads as this tree, as long as its times are of the years 0 to 9999. */
export function queryText(node: QueryNode): string {
  switch (node.kind) {
    case 'all':
      return `(${node.of.map(queryText).join(' ')})`;
    case 'any':
      return `(${node.of.map(queryText).join(' OR ')})`;
    case 'not':
      return `-${queryText(node.of)}`;
    case 'text': {
      const operator = node.field ? `${operatorOf[node.field]}:` : '';
      if (node.match === 'fuzzy') return `${operator}${node.text}~`;
      return `${operator}"${node.text}"${node.match === 'prefix' ? '*' : ''}`;
    }
    case 'equals':
      return node.field === 'status' ? `is:${node.values.join()}` : 'has:attachment';
    case 'range': {
      if (node.field === 'size') return `${node.comparison === '>' ? 'larger' : 'smaller'}:${node.value}`;
      return `${node.comparison === '<' ? 'before' : 'after'}:${new Date(node.value * 1000).toISOString()}`;
    }
  }
}

export const leavesOf = (node: QueryNode): QueryNode[] =>
  node.kind === 'all' || node.kind === 'any' ? node.of.flatMap(leavesOf) : node.kind === 'not' ? leavesOf(node.of) : [node];
