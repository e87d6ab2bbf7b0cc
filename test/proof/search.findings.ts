import { quantiles } from './quantiles';
import type { Cell, Figure, Findings, Invariant } from './round';
import type { Inventory } from './search.inventory';
import type { SearchOutages } from './search.outages';
import type { SeenAnswer } from './search.watch';
import { tally } from './tally';

const VERDICTS = ['right', 'degraded', 'error', 'other error', 'lie', 'wrong'] as const;

type Table = NonNullable<Findings['tables']>[number];

export interface SearchOutcome {
  settings: Figure[];
  acknowledged: number;
  sendRefusals: readonly string[];
  answers: readonly SeenAnswer[];
  findableMs: readonly number[];
  outages: SearchOutages;
  victims: readonly string[];
  drained: boolean;
  /** Whether indexed_through_ms passed the last acknowledgement. */
  caughtUp: boolean;
  inventories: readonly { tenant: string; order: string; acknowledged: number; inventory: Inventory }[];
}

export function findingsOf(outcome: SearchOutcome): Findings {
  return {
    settings: outcome.settings,
    figures: figuresOf(outcome),
    tables: [killTable(outcome), awayTable(outcome), wayTable(outcome), inventoryTable(outcome)],
    invariants: invariantsOf(outcome),
    notes: [
      'Acknowledged: when the client had the answer, by the clock of the same machine as all parts; the mail was accepted before.',
      'A lie: an answer of 200 without `degraded` that lacks a mail which it was asked for, by id or by a word of its own, and whose acknowledgement had come before ' +
        '`indexed_through_ms` of that same answer. An empty answer is judged by the same rule.',
      'What was away: killed, and not yet said to be ready again, at some moment between the question and its answer.',
      'Caught up: the first complete answer whose `indexed_through_ms` is past the moment at which the part was back; other parts may have been killed meanwhile. `all caught up`: answers that no kill and no such time after one touches.',
      'Findable: from the acknowledgement to the first answer that had the mail. Mails are asked for some times a second, so that the true time is shorter.',
      'In the end each tenant’s mails are read page by page by `page_token`, in two orders, and the status in each result is compared with what GET says of that mail.',
    ],
  };
}

function figuresOf(outcome: SearchOutcome): Figure[] {
  const { answers, findableMs, outages } = outcome;
  const lag = (of: readonly SeenAnswer[]): string =>
    quantilesText(of.flatMap(({ answeredAt, throughMs }) => (throughMs === undefined || throughMs === 0 ? [] : [answeredAt - throughMs])));
  return [
    ['kills', tally(outages.outages.map(({ victim }) => victim))],
    ['acknowledged', outcome.acknowledged],
    ['answers of search', `${answers.length}: ${tally(answers.map(({ verdict }) => verdict))}`],
    ['lag of indexed_through_ms, all caught up', lag(undisturbed(outcome))],
    ['lag of indexed_through_ms, all complete answers', lag(answers)],
    ['findable after', quantilesText(findableMs)],
    ['reasons of degraded answers', reasons(answers, 'degraded')],
    ['errors', reasons(answers, 'error')],
    [
      'degraded answers that lacked what was asked for',
      answers.filter(({ verdict, lacking }) => verdict === 'degraded' && lacking.length > 0).length,
    ],
    ['sends that were no acknowledgement, and were repeated', tally(outcome.sendRefusals)],
  ];
}

const reasons = (answers: readonly SeenAnswer[], verdict: SeenAnswer['verdict']): string =>
  tally(answers.flatMap((answer) => (answer.verdict === verdict ? [answer.reason] : [])));

/** Answers that fall between no kill and the moment at which it was caught up: they tell how fresh search is when it is left alone. */
function undisturbed({ answers, outages: { outages } }: SearchOutcome): SeenAnswer[] {
  const disturbed = outages.map(({ killedAt, backAt }) => ({ from: killedAt, to: backAt + caughtUpMs(answers, backAt) }));
  return answers.filter(({ askedAt, answeredAt }) => disturbed.every(({ from, to }) => answeredAt < from || askedAt > to));
}

/** From the moment at which a part was back to the first complete answer that claims everything up to then. */
const caughtUpMs = (answers: readonly SeenAnswer[], backAt: number): number =>
  Math.min(...answers.map(({ answeredAt, throughMs = 0 }) => (throughMs >= backAt ? answeredAt : Infinity))) - backAt;

function quantilesText(values: readonly number[]): string {
  if (values.length === 0) return 'no such answer';
  const { p50, p95, p99, max } = quantiles(values);
  return `p50 ${p50} ms, p95 ${p95} ms, p99 ${p99} ms, longest ${max} ms`;
}

function invariantsOf(outcome: SearchOutcome): Invariant[] {
  const { answers, outages, victims, inventories, acknowledged } = outcome;
  const number = (verdict: SeenAnswer['verdict']): number => answers.filter((answer) => answer.verdict === verdict).length;
  const silent = answers.filter(({ verdict, reason }) => verdict === 'degraded' && reason === '').length;
  const emptyDegraded = answers.filter(({ verdict, found }) => verdict === 'degraded' && found === 0).length;
  const back = wentBack(answers);
  const met = victims.filter((victim) => answers.some(({ askedAt, answeredAt }) => outages.during(askedAt, answeredAt).includes(victim)));
  const sum = (of: (inventory: Inventory) => number): number => inventories.reduce((all, { inventory }) => all + of(inventory), 0);
  const notSent = inventories.flatMap(({ inventory: { statuses } }) => statuses).filter((status) => status !== 'sent');
  const totals = inventories.filter(({ inventory, acknowledged: of }) => [...inventory.totals].some((total) => total !== of)).length;
  const told: [boolean, string][] = [
    [number('lie') === 0, `no complete answer lacked what its \`indexed_through_ms\` claims (lies: ${number('lie')})`],
    [number('wrong') === 0, `no answer had anything but what was asked for (others: ${number('wrong')})`],
    [number('other error') === 0, `every error was a 503 with Retry-After, or a 504 (others: ${reasons(answers, 'other error')})`],
    [silent === 0, `every degraded answer says why (others: ${silent})`],
    [emptyDegraded === 0, `no degraded answer was empty (${emptyDegraded})`],
    [back === 0, `\`indexed_through_ms\` never went back (times: ${back})`],
    [met.length === victims.length, `there were questions while each part was away (${met.join(', ')} of ${victims.join(', ')})`],
    [outcome.drained, 'in the end nothing was queued'],
    [outcome.caughtUp, 'in the end `indexed_through_ms` passed the last acknowledgement and the last delivery'],
    [
      sum(({ missing }) => missing) === 0 && acknowledged > 0,
      `every one of ${acknowledged} acknowledged mails is found (missing: ${sum(({ missing }) => missing)})`,
    ],
    [sum(({ twice }) => twice) === 0, `none is found twice (${sum(({ twice }) => twice)})`],
    [sum(({ others }) => others) === 0, `nothing else is found (${sum(({ others }) => others)})`],
    [totals === 0, `every page of every tenant tells the true total (others: ${totals})`],
    [sum(({ unlike }) => unlike) === 0, `each has the status that GET says (others: ${sum(({ unlike }) => unlike)})`],
    [notSent.length === 0, `and that is \`sent\` (others: ${tally(notSent)})`],
  ];
  return told.map(([holds, text]) => ({ holds, text }));
}

/** How often an answer claimed less than one that the same tenant had before it was asked for. */
function wentBack(answers: readonly SeenAnswer[]): number {
  let times = 0;
  for (const of of Map.groupBy(answers, ({ tenant }) => tenant).values()) {
    const complete = of.filter(({ throughMs }) => throughMs !== undefined);
    const byAnswer = complete.toSorted((a, b) => a.answeredAt - b.answeredAt);
    let known = 0;
    let next = 0;
    for (const { askedAt, throughMs = 0 } of complete.toSorted((a, b) => a.askedAt - b.askedAt)) {
      for (let earlier = byAnswer[next]; earlier && earlier.answeredAt < askedAt; earlier = byAnswer[++next])
        known = Math.max(known, earlier.throughMs ?? 0);
      if (throughMs < known) times++;
    }
  }
  return times;
}

function killTable({ outages: { outages }, answers }: SearchOutcome): Table {
  const seconds = (ms: readonly number[]): Cell[] => {
    const { p50, max } = quantiles(ms);
    return [(p50 / 1000).toFixed(1), (max / 1000).toFixed(1)];
  };
  const rows = [...Map.groupBy(outages, ({ victim }) => victim)].map(([victim, of]) => [
    victim,
    of.length,
    ...seconds(of.map(({ killedAt, backAt }) => backAt - killedAt)),
    ...seconds(of.map(({ backAt }) => caughtUpMs(answers, backAt))),
  ]);
  return {
    title: 'Kills',
    columns: ['victim', 'kills', 'back after, median, s', 'longest, s', 'caught up after that, median, s', 'longest, s'],
    rows,
  };
}

function awayTable({ answers, outages }: SearchOutcome): Table {
  const away = ({ askedAt, answeredAt }: SeenAnswer): string => outages.during(askedAt, answeredAt).join(' and ') || 'nothing';
  return verdictTable('Answers by what was away', 'away', Map.groupBy(answers, away));
}

const wayTable = ({ answers }: SearchOutcome): Table =>
  verdictTable(
    'Answers by how was asked',
    'way',
    Map.groupBy(answers, ({ way }) => way),
  );

function verdictTable(title: string, by: string, groups: ReadonlyMap<string, readonly SeenAnswer[]>): Table {
  const rows = [...groups].map(([name, of]) => [
    name,
    ...VERDICTS.map((verdict) => of.filter((answer) => answer.verdict === verdict).length),
  ]);
  return { title, columns: [by, 'right', 'degraded', '503 or 504', 'other errors', 'lies', 'wrong'], rows };
}

const inventoryTable = ({ inventories }: SearchOutcome): Table => ({
  title: 'In the end',
  columns: ['tenant', 'order', 'acknowledged', 'found', 'missing', 'twice', 'others', 'total told', 'status unlike GET'],
  rows: inventories.map(({ tenant, order, acknowledged, inventory: { found, missing, twice, others, totals, unlike } }) => [
    tenant,
    order,
    acknowledged,
    found,
    missing,
    twice,
    others,
    [...totals].join(', '),
    unlike,
  ]),
});
