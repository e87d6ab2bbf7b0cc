import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import { toEmailListing } from './email-listing';
import { parseQuery } from './parse-query';
import type { QueryNode } from './query';
import { hasWord, lastWord } from './query-characters';
import { MAX_CLAUSES, MAX_DEPTH, MAX_FUZZY_WORDS, MAX_PREFIXES, MAX_QUERY_LENGTH } from './query-limits';
import { nonsense, seededRandom } from './query-nonsense.fixture';
import { leavesOf, queryText, treeText } from './query-tree.fixture';

const now = new Date('2026-05-31T12:34:56Z');
const SEED = 20261124;
const COUNT = 8_000;

interface Outcome {
  query: string;
  tree?: QueryNode;
  error?: InvalidArgumentError;
}

function outcomeOf(query: string): Outcome {
  try {
    return { query, tree: parseQuery(query, now) };
  } catch (error) {
    if (error instanceof InvalidArgumentError) return { query, error };
    throw new Error(`not an InvalidArgumentError: ${JSON.stringify(query)}`, { cause: error });
  }
}

const random = seededRandom(SEED);
const outcomes = Array.from({ length: COUNT }, () => outcomeOf(nonsense(random)));
const trees = outcomes.flatMap(({ query, tree }) => (tree ? [{ query, tree }] : []));
const refused = outcomes.flatMap(({ query, error }) => (error ? [{ query, error }] : []));

/** The first queries that something is wrong with, and what: few enough to be read. */
const wrong = <T extends { query: string }>(cases: readonly T[], faultOf: (one: T) => unknown): unknown[] =>
  cases.flatMap((one) => [faultOf(one)].filter(Boolean).map((fault) => ({ query: one.query, fault }))).slice(0, 5);

const isLong = (query: string) => Array.from(query).length > MAX_QUERY_LENGTH;

test('nonsense gives trees and errors, both of them often', () => {
  expect(trees.length).toBeGreaterThan(COUNT / 5);
  expect(refused.length).toBeGreaterThan(COUNT / 5);
});

test('an error names a position in the query, and says what is wrong there in a line', () => {
  expect(
    wrong(refused, ({ query, error }) => {
      const [violation, ...others] = error.details.violations ?? [];
      const position = Number(/^at position ([1-9]\d*): [^\n]{10,300}$/.exec(violation?.description ?? '')?.[1]);
      return !(violation?.field === 'query' && others.length === 0 && position <= Array.from(query).length) && error.message;
    }),
  ).toEqual([]);
});

test('a query gives the same each time', () => {
  expect(
    wrong(outcomes, (first) => {
      const second = outcomeOf(first.query);
      return JSON.stringify(second.tree) !== JSON.stringify(first.tree) || second.error?.message !== first.error?.message;
    }),
  ).toEqual([]);
});

test('a tree is within the bounds, and flat', () => {
  expect(
    wrong(trees, ({ tree }) => {
      const leaves = leavesOf(tree);
      const of = (match: string) => leaves.filter((leaf) => leaf.kind === 'text' && leaf.match === match).length;
      if (leaves.length > MAX_CLAUSES || of('prefix') > MAX_PREFIXES || of('fuzzy') > MAX_FUZZY_WORDS) return 'too much';
      return shapeFault(tree, 1);
    }),
  ).toEqual([]);
});

function shapeFault(node: QueryNode, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return 'too deep';
  if (node.kind === 'not') return node.of.kind === 'not' ? 'a double negation' : shapeFault(node.of, depth + 1);
  if (node.kind === 'range') return Number.isSafeInteger(node.value) ? undefined : 'no whole number';
  if (node.kind !== 'all' && node.kind !== 'any') return undefined;
  const isEverything = depth === 1 && node.kind === 'all' && node.of.length === 0;
  if (node.of.length < 2 && !isEverything) return 'a node for less than two';
  if (node.of.some(({ kind }) => kind === node.kind)) return 'alike nodes in one another';
  return node.of.map((child) => shapeFault(child, depth + 1)).find((fault) => fault !== undefined);
}

test('a text has a word, is tidy, and has a word at its end where its match is about that', () => {
  expect(
    wrong(trees, ({ tree }) =>
      leavesOf(tree).find((leaf) => {
        if (leaf.kind !== 'text') return false;
        const { text, match } = leaf;
        if (!hasWord(text) || !text.isWellFormed() || /[\p{Cc}"“”„«»]|^ | $| {2}/u.test(text)) return true;
        return match === 'fuzzy' ? lastWord(text) !== text : match === 'prefix' && lastWord(text) === '';
      }),
    ),
  ).toEqual([]);
});

test('a tree that is written as a query reads as the same tree', () => {
  const written = trees.map(({ query, tree }) => ({ query, tree, text: queryText(tree) })).filter(({ text }) => !isLong(text));
  expect(written.length).toBeGreaterThan(trees.length / 2);
  expect(wrong(written, ({ tree, text }) => treeText(parseQuery(text, now)) !== treeText(tree) && text)).toEqual([]);
});

test('more space, where it separates already, changes nothing', () => {
  const wider = trees.map(({ query, tree }) => ({ query: `\t ${query.replaceAll(' ', ' \u0000\u200f\n ')} `, tree }));
  const cases = wider.filter(({ query }) => !isLong(query));
  expect(wrong(cases, ({ query, tree }) => treeText(parseQuery(query, now)) !== treeText(tree))).toEqual([]);
});

test('every tree is listed or not, without an error', () => {
  for (const { tree } of trees) toEmailListing(tree);
});
