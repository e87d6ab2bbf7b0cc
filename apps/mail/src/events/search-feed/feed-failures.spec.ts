import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { setAside, verdictOn } from './feed-failures';

test.each([
  [new InvalidArgumentError([]), 'refused'],
  [new RuleError('INTERNAL'), 'again'],
  [new RuleError('SEARCH_UNAVAILABLE'), 'away'],
  [new RuleError('OVERLOADED'), 'away'],
  [new RuleError('TOO_MANY_STREAMS'), 'away'],
  [new RuleError('DEADLINE_EXCEEDED'), 'away'],
  [new RuleError('SERVICES_ONLY'), 'away'],
  [new RuleError('UNAUTHENTICATED'), 'away'],
])('%s: %s', (error, verdict) => expect(verdictOn(error)).toBe(verdict));

test('what is kept of an error is its code and its words, bounded', () => {
  const change = { tenant: 't', id: 'i', version: 1, document: undefined };
  const { error } = setAside(change, new InvalidArgumentError([{ field: 'document.title', description: 'x'.repeat(1000) }]));
  expect([error.length, error.slice(0, 33)]).toEqual([500, 'INVALID_ARGUMENT document.title: ']);
});
