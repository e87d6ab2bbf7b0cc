import type { IndexedDocument } from '../search.engine';
import { checkpointKey, keyOf, sourceOfChange } from './document.mapper';

const document: IndexedDocument = {
  tenant: 'acme',
  id: 'doc_1',
  kind: 'document',
  title: 'T',
  content: 'C',
  url: '/u',
  attributes: { from: ['a@example.com'], size: ['2048', 'large'], due: ['2026-01-01', '7'], status: ['sent'] },
  timestamp: 5,
  version: 1,
};

describe('the key of a document', () => {
  test('is another one for every tenant and id', () => {
    const keys = [keyOf('a', 'b-c'), keyOf('a-b', 'c'), keyOf('ab', 'c'), keyOf('a', 'bc'), checkpointKey('a'), keyOf('checkpoint', 'a')];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('fits into what Elasticsearch takes, for the longest tenant and id', () => {
    const tenant = `~${'\u{1F600}'.repeat(255)}`;
    expect(Buffer.byteLength(keyOf(tenant, 'x'.repeat(256)))).toBeLessThanOrEqual(512);
    expect(keyOf(tenant, 'x')).not.toBe(keyOf(`${tenant}!`, 'x'));
  });
});

describe('what is kept', () => {
  test('texts, exact values and numbers, each where it is searched', () => {
    expect(sourceOfChange({ change: 'index', document }, 0)).toEqual({
      tenant: 'acme',
      id: 'doc_1',
      kind: 'document',
      title: 'T',
      content: 'C',
      beginning: 'C',
      url: '/u',
      timestamp: 5,
      from: ['a@example.com'],
      attributes: document.attributes,
      size: [2048],
      numbers: [{ name: 'due', value: [1767225600, 7] }],
    });
  });

  test('the beginning is 300 whole characters', () => {
    const kept = sourceOfChange({ change: 'index', document: { ...document, content: '\u{1F600}'.repeat(400) } }, 0);
    expect(kept).toMatchObject({ beginning: '\u{1F600}'.repeat(300) });
  });

  test('of a deletion nothing of the document', () => {
    const kept = sourceOfChange({ change: 'delete', tenant: 'acme', id: 'doc_1', kind: 'document', version: 3 }, 99);
    expect(kept).toEqual({ tenant: 'acme', id: 'doc_1', kind: 'document', deleted_at: 99 });
  });
});
