import { findingsOf, type SearchOutcome } from '../proof/search.findings';
import { SearchOutages } from '../proof/search.outages';
import type { SeenAnswer } from '../proof/search.watch';
import { SeededRandom } from '../proof/seeded-random';

const ANSWER: SeenAnswer = {
  tenant: 'acme',
  way: 'ids',
  askedAt: 1000,
  answeredAt: 1010,
  verdict: 'right',
  reason: '',
  throughMs: 900,
  found: 1,
  lacking: [],
};
const INVENTORY = { found: 1, missing: 0, twice: 0, others: 0, unlike: 0, totals: new Set([1]), statuses: ['sent'] };

const outages = new SearchOutages([], new SeededRandom(1));
outages.outages.push({ victim: 'search', killedAt: 990, backAt: 1005 });

function outcome(
  answers: Partial<SeenAnswer>[] = [],
  inventory: Partial<typeof INVENTORY> = {},
  more: Partial<SearchOutcome> = {},
): SearchOutcome {
  return {
    settings: [],
    acknowledged: 1,
    sendRefusals: [],
    answers: [ANSWER, ...answers.map((answer) => ({ ...ANSWER, ...answer }))],
    findableMs: [10],
    outages,
    victims: ['search'],
    drained: true,
    caughtUp: true,
    inventories: [{ tenant: 'acme', order: 'newest', acknowledged: 1, inventory: { ...INVENTORY, ...inventory } }],
    ...more,
  };
}

const fallen = (of: SearchOutcome): string[] => findingsOf(of).invariants.flatMap(({ holds, text }) => (holds ? [] : [text]));

test('a round in which nothing is wrong holds', () => {
  expect(fallen(outcome([{ verdict: 'degraded', reason: 'away' }, { verdict: 'error' }]))).toEqual([]);
});

test.each<[string, SearchOutcome, string]>([
  ['a lie', outcome([{ verdict: 'lie' }]), 'lies: 1'],
  ['what was not asked for', outcome([{ verdict: 'wrong' }]), 'but what was asked for'],
  ['an error of another kind', outcome([{ verdict: 'other error', reason: '500 INTERNAL' }]), '1 500 INTERNAL'],
  ['a degraded answer without a reason', outcome([{ verdict: 'degraded' }]), 'says why'],
  ['an empty degraded answer', outcome([{ verdict: 'degraded', reason: 'away', found: 0 }]), 'was empty'],
  ['a claim that goes back', outcome([{ askedAt: 1020, answeredAt: 1030, throughMs: 899 }]), 'never went back (times: 1)'],
  ['a part that nobody asked without', outcome([], {}, { victims: ['search', 'mail'] }), 'search of search, mail'],
  ['a queue that does not end', outcome([], {}, { drained: false }), 'nothing was queued'],
  ['a search that does not catch up', outcome([], {}, { caughtUp: false }), 'passed the last'],
  ['a mail that is lost', outcome([], { missing: 1 }), 'missing: 1'],
  ['a mail found twice', outcome([], { twice: 1 }), 'found twice (1)'],
  ['a mail that nobody sent', outcome([], { others: 1 }), 'nothing else is found (1)'],
  ['a total that is not', outcome([], { totals: new Set([1, 2]) }), 'the true total'],
  ['another status than GET has', outcome([], { unlike: 1 }), 'status that GET says'],
  ['a mail that was not sent', outcome([], { statuses: ['deferred'] }), '1 deferred'],
])('%s fails it', (_name, of, told) => {
  expect(fallen(of)).toEqual([expect.stringContaining(told)]);
});

test('an answer that was asked for before another one came may claim less', () => {
  expect(fallen(outcome([{ askedAt: 1005, answeredAt: 1030, throughMs: 899 }]))).toEqual([]);
});
