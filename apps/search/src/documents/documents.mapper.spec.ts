import { RuleError } from '@sky-genesis/grpc/rule-error';
import { toIndexDocumentsResponses, toIndexMessage } from './documents.mapper';

const EMPTY = { requests: [], deletions: [], source: '', checkpoint: '', throughMs: '0' };

test('results stand before the source that came after them, and each source has a message of its own', () => {
  const result = (requestRef: string) => ({ requestRef, id: `id-${requestRef}`, outcome: 'created' as const });
  const responses = toIndexDocumentsResponses([
    result('a'),
    { source: 'mail', checkpoint: '1' },
    { source: 'files', checkpoint: '' },
    result('b'),
    { requestRef: 'c', error: new RuleError('SERVICES_ONLY') },
  ]);
  expect(responses).toEqual([
    { results: [{ requestRef: 'a', response: { id: 'id-a', status: 'created' } }], source: 'mail', checkpoint: '1' },
    { results: [], source: 'files', checkpoint: '' },
    {
      results: [
        { requestRef: 'b', response: { id: 'id-b', status: 'created' } },
        { requestRef: 'c', failure: expect.objectContaining({ code: 7 }) },
      ],
      source: '',
      checkpoint: '',
    },
  ]);
});

test('a message is a feed’s as soon as it says one thing of a source', () => {
  expect(toIndexMessage(EMPTY).feed).toBeUndefined();
  for (const said of [{ source: 'mail' }, { checkpoint: '1' }, { throughMs: '1' }]) {
    expect(toIndexMessage({ ...EMPTY, ...said }).feed).toEqual({ source: '', checkpoint: '', throughMs: '0', ...said });
  }
});
