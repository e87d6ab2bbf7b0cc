import { checkFacets } from './check-facets';
import { refusals } from './invalid-argument.fixture';

const refused = (...fields: string[]) => refusals(() => checkFacets(fields));

test.each([
  [[]],
  [['kind', 'status', 'from', 'metadata.a-b_1', '__proto__', 'Kind']],
  [Array.from({ length: 10 }, (_, index) => `a${index}`)],
])('%j: taken, in that order', (fields) => {
  expect(checkFacets(fields)).toEqual(fields);
});

test('all that is wrong is named', () => {
  expect(refused('status', 'title', '', 'content', 'a b', 'id', 'status', 'url', 'timestamp')).toEqual([
    'facets[1]: cannot be title: only attributes and kind are counted',
    'facets[2]: must be named by 1 to 128 letters, digits and . _ -',
    'facets[3]: cannot be content: only attributes and kind are counted',
    'facets[4]: must be named by 1 to 128 letters, digits and . _ -',
    'facets[5]: cannot be id: only attributes and kind are counted',
    'facets[6]: is given twice',
    'facets[7]: cannot be url: only attributes and kind are counted',
    'facets[8]: cannot be timestamp: only attributes and kind are counted',
  ]);
  expect(refused('n'.repeat(129), 'a\n')).toHaveLength(2);
  expect(refused(...Array.from({ length: 11 }, (_, index) => `a${index}`))).toEqual(['facets: must be at most 10']);
});
