import type { QueryNode } from './query';
import { allOf, anyOf, depthOf, notOf } from './query-tree';

const [a, b, c] = ['a', 'b', 'c'].map((text): QueryNode => ({ kind: 'text', text, match: 'phrase' })) as [QueryNode, QueryNode, QueryNode];

test('alike nodes are merged, single ones stand for themselves', () => {
  expect(allOf([a])).toBe(a);
  expect(anyOf([a])).toBe(a);
  expect(allOf([allOf([a, b]), c])).toEqual({ kind: 'all', of: [a, b, c] });
  expect(anyOf([a, anyOf([b, c])])).toEqual({ kind: 'any', of: [a, b, c] });
  expect(allOf([anyOf([a, b]), c])).toEqual({ kind: 'all', of: [{ kind: 'any', of: [a, b] }, c] });
});

test('everything, and something: something; nothing at all: everything', () => {
  expect(allOf([])).toEqual({ kind: 'all', of: [] });
  expect(allOf([allOf([]), a])).toBe(a);
  expect(allOf([allOf([]), allOf([])])).toEqual({ kind: 'all', of: [] });
});

test('a double negation is none', () => {
  expect(notOf(a)).toEqual({ kind: 'not', of: a });
  expect(notOf(notOf(a))).toBe(a);
});

test('depth counts nodes', () => {
  expect(depthOf(a)).toBe(1);
  expect(depthOf(allOf([]))).toBe(1);
  expect(depthOf(allOf([a, notOf(anyOf([b, c]))]))).toBe(4);
});
