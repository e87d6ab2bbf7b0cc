import { z } from 'zod';
import { INT32_MAX, int64, queryNumber, queryText, repeatedText } from '../http/field.schema';

/** Types and shapes only: what a query or a filter may be is the search service's rule, told in its answer. */
export const searchQuery = z.strictObject({
  q: queryText().meta({
    description:
      'What is looked for: words (all must be there), "phrases", `-not`, `OR`, `word*`, `word~`, and `from:` `to:` `cc:` `bcc:` `subject:` `body:` `filename:` `has:attachment` `is:<status>` `before:` `after:` `larger:` `smaller:`. 1024 characters at most. Left out: everything.',
    examples: ['enterprise'],
  }),
  filter: repeatedText().meta({
    description:
      '`field:value`, on an attribute or a field of every document; `field:a|b` is one of them, `field:>=n` (`>` `<` `<=`) compares numbers and times. Given more than once, all must hold.',
    examples: [['kind:document', 'department:it|sales']],
  }),
  limit: queryNumber(INT32_MAX).meta({ description: '1 to 100. Left out: 10.', examples: [10] }),
  offset: queryNumber(INT32_MAX).meta({
    description: 'How many results to leave out: 0 to 10,000. Further on, and while documents arrive, `page_token`.',
    examples: [0],
  }),
  page_token: queryText().meta({
    description: '`next_page_token` of the page before, with the same `q`, `filter`, `sort` and `kind`. `offset` does not count then.',
  }),
  facet: repeatedText().meta({
    description: 'An attribute, or `kind`: its values are counted over all that is found. May be given more than once, 10 at most.',
    examples: [['kind', 'department']],
  }),
  sort: queryText().meta({ description: '`relevance` (the default), `newest` or `oldest`.', examples: ['relevance'] }),
  kind: repeatedText().meta({
    description:
      '`email` or `document`; may be given more than once. Left out: all that the token may see (emails need the scope `mail.read`, too).',
    examples: [['email']],
  }),
  wait_for_id: queryText().meta({
    description:
      'Waits until this document can be found: the `id` of one that was just put, or the `message_id` of an email. As long as the answer may take: see `Request-Timeout`.',
    examples: ['doc_1'],
  }),
});

export type SearchQuery = z.output<typeof searchQuery>;

const searchResult = z
  .object({
    id: z.string().meta({ description: "The document's, or the `message_id` of an email.", examples: ['doc_1'] }),
    title: z.string().meta({ description: "The document's, or the subject.", examples: ['Enterprise Architecture'] }),
    content: z.string().meta({ description: 'The beginning, 300 characters at most.', examples: ['Enterprise architecture overview...'] }),
    url: z.string().meta({ examples: ['/docs/architecture'] }),
    score: z
      .number()
      .min(0)
      .max(1)
      .meta({ description: 'Comparable within one answer only.', examples: [0.95] }),
    kind: z.string().meta({ description: '`email` or `document`.', examples: ['document'] }),
    highlights: z
      .array(z.string())
      .optional()
      .meta({
        description: 'Where it matched, as HTML: `<mark>` around what matched, everything else escaped.',
        examples: [['<mark>Enterprise</mark> Architecture']],
      }),
    attributes: z
      .record(z.string(), z.array(z.string()))
      .optional()
      .meta({ description: 'Always lists.', examples: [{ department: ['it'] }] }),
    timestamp: int64()
      .optional()
      .meta({ description: "The document's own time, in unix seconds.", examples: [1640995200] }),
  })
  .meta({ id: 'SearchResult', description: 'What is empty is left out.' });

const facet = z
  .object({
    field: z.string().meta({ examples: ['department'] }),
    values: z
      .array(
        z.object({
          value: z.string().meta({ examples: ['it'] }),
          count: int64().meta({ description: 'How many results have it.', examples: [12] }),
        }),
      )
      .meta({ description: 'Most frequent first, 20 at most.' }),
  })
  .meta({ id: 'Facet' });

export const searchAnswer = z
  .object({
    results: z.array(searchResult).meta({ description: 'In the order of `sort`; among equals, newer ones first.' }),
    total_count: z
      .int()
      .min(0)
      .meta({ description: 'How many there are on all pages: exact up to 10,000.', examples: [1] }),
    query_time_ms: z
      .int()
      .min(0)
      .meta({ examples: [45] }),
    indexed_through_ms: int64().meta({
      description: 'Everything accepted up to this time can be found; unix milliseconds. 0: not known.',
      examples: [1640995200500],
    }),
    next_page_token: z.string().optional().meta({ description: 'Left out on the last page.' }),
    facets: z.array(facet).optional().meta({ description: 'One for each `facet` asked for, in that order.' }),
    degraded: z.literal(true).optional().meta({ description: 'The answer may be incomplete: `degraded_reason` says why.' }),
    degraded_reason: z.string().optional(),
    total_count_is_lower_bound: z.literal(true).optional().meta({ description: 'There are at least `total_count`.' }),
  })
  .meta({ id: 'SearchAnswer' });
