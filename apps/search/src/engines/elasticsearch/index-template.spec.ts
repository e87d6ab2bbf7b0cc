import { indexTemplate, TEMPLATE_VERSION } from './index-template';

const template = indexTemplate({ url: '', indexPrefix: 'sge', shards: 3, replicas: 'auto', timeoutMs: 1 }) as {
  index_patterns: string[];
  version: number;
  template: {
    settings: Record<string, unknown> & { analysis: { char_filter: { letters: { mappings: string[] } } } };
    mappings: { dynamic: string; _meta: object; properties: Record<string, { type: string }> };
  };
};
/** What trimmed builds of Elasticsearch, and clusters without a licence, lack. */
const MISSING = [
  'scaled_float',
  'search_as_you_type',
  'match_only_text',
  'wildcard',
  'constant_keyword',
  'unsigned_long',
  'version',
  'token_count',
];

describe('the index template', () => {
  test('takes the fields of a document and no others', () => {
    const { dynamic, properties } = template.template.mappings;
    expect(dynamic).toBe('strict');
    expect(Object.values(properties).filter(({ type }) => MISSING.includes(type))).toEqual([]);
  });

  test('is told apart by its version', () => {
    expect(template).toMatchObject({ index_patterns: ['sge-v*'], version: TEMPLATE_VERSION });
    expect(template.template.mappings._meta).toEqual({ version: TEMPLATE_VERSION });
  });

  test('has the shards and copies that are asked for', () => {
    expect(template.template.settings).toMatchObject({ number_of_shards: 3, auto_expand_replicas: '0-1' });
    const fixed = indexTemplate({ url: '', indexPrefix: 'sge', shards: 1, replicas: 2, timeoutMs: 1 });
    expect(fixed).toMatchObject({ template: { settings: { number_of_replicas: 2 } } });
  });

  test('folds letters that Elasticsearch does not, each into letters', () => {
    const { mappings } = template.template.settings.analysis.char_filter.letters;
    expect(mappings).toContain('ά => α');
    expect(mappings).toContain('ё => е');
    expect(mappings.filter((mapping) => !/^\p{L} => \p{L}+$/u.test(mapping))).toEqual([]);
  });
});
