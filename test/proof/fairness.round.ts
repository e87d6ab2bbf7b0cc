import { setTimeout as sleep } from 'node:timers/promises';
import { InboxWatch } from './inbox.watch';
import { untilNoneLeft } from './moving';
import { newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { quantiles } from './quantiles';
import { RestEntrance, type ToldEvent } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { SubmitFlood } from './submit-flood';
import { tally } from './tally';
import { tenantToken } from './tenant-token';

const MAX_RATIO = 1.5;
/** Ten mails a minute, each at a random moment of its own six seconds. */
const SLOT_MS = 6000;
const ALONE_MINUTES = 5;
/** What the sink waits before it takes a mail, as a relay at work does. */
const RELAY_LATENCY_MS = '100';
const WARM_UP = 300;
const WARM_UP_AT_ONCE = 8;
const PATIENCE_MS = 120_000;
const MINUTE_MS = 60_000;
const PAGE = 1000;
const SLOWEST = 10;
/** Numbers of the small tenant's mails, and of those to warm up, beyond those of the large one. */
const SMALL_FROM = 10_000_000;
const WARM_UP_FROM = 20_000_000;

export const fairness: Round = {
  title: 'one tenant submits tens of thousands, another sends ten a minute',
  does:
    'A started stack with default settings but for a relay that takes its time: the SMTP sink waits 100 ms before it takes a mail. After some hundred mails of a third tenant ' +
    `(so that nothing is measured cold), the small tenant sends ten mails a minute over REST, first alone for ${ALONE_MINUTES} minutes (less in a run of few mails), then for as long as it takes to deliver what the ` +
    'large tenant submits at once and as fast as it is taken, through SubmitEmails. Each mail of the small tenant is timed from being accepted to being sent, by its events ' +
    '(`occurred_at_ms` of `email.queued` and of `email.sent`), which the small tenant reads over REST at the end.',
  count: { of: 'mails of the large tenant', default: 50_000, max: 500_000 },
  concurrency: { of: 'streams of the large tenant', default: 2, max: 16 },
  run,
};

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count, concurrency, random } = context;
  const stack = await ProofStack.start(started, { SGE_SMTP_SINK_LATENCY_MS: RELAY_LATENCY_MS, ...context.settings });
  const environment = stack.mailEnvironment();
  const database = await ProofDatabase.connect(environment['DATABASE_URL'], started);
  const settings = await database.settings();
  const inbox = new InboxWatch(stack.inbox, started);
  const { urls, ports } = stack.description;
  await warmUp(new RestEntrance(urls.gateway, tenantToken(stack, 'third'), WARM_UP_AT_ONCE, started), context);
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);

  const small = new SmallTenant(new RestEntrance(urls.gateway, tenantToken(stack, 'small'), 1, started), context);
  context.progress(() => `small tenant, alone: ${small.sent} mails`);
  const alone = await small.send(aloneMails(count));
  await untilNoneLeft(() => inbox.missing(alone.ids).length, PATIENCE_MS);

  const flood = new SubmitFlood(`127.0.0.1:${ports.mail_grpc}`, tenantToken(stack, 'large'), started);
  context.progress(() => `${flood.acknowledged.length} acknowledged, ${inbox.size} delivered in all, small tenant: ${small.sent} mails`);
  const beganAt = performance.now();
  const delivered = new AbortController();
  const [inboxBefore, sentBefore] = [inbox.size, small.sent];
  const sendingBeside = small.send(Infinity, delivered.signal);
  await flood.submit(count, concurrency, (number) => newMail(random, number));
  const submittedMs = performance.now() - beganAt;
  say(`${flood.acknowledged.length} acknowledged within ${(submittedMs / 1000).toFixed(1)} s; waiting for their delivery`);
  await untilNoneLeft(() => Math.max(0, flood.acknowledged.length + small.sent - sentBefore - (inbox.size - inboxBefore)), PATIENCE_MS);
  delivered.abort();
  const beside = await sendingBeside;
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);

  const times = await small.acceptToSent();
  const timed = ({ ids, answeredMs }: Sent): Timed => ({ sentMs: ids.flatMap((id) => times.get(id) ?? []), answeredMs, mails: ids.length });
  const latency = environment['SGE_SMTP_SINK_LATENCY_MS'] ?? '0';
  return findings({
    settings: [
      ...settings,
      ['SGE_SMTP_SINK_LATENCY_MS (what the relay takes for a mail)', latency],
      ['MAIL_RELAY_CONNECTIONS', environment['MAIL_RELAY_CONNECTIONS'] ?? 'its default'],
    ],
    alone: timed(alone),
    beside: timed(beside),
    refusals: [...small.refusals, ...flood.refusals],
    submittedMs,
    missing: inbox.missing([...flood.acknowledged, ...alone.ids, ...beside.ids]).length,
    twice: inbox.twice().length,
    count,
    slowest: slowest(beside, times, beganAt),
    deliveredAfterMs: flood.acknowledged.flatMap((id) => inbox.deliveries(id).map((at) => at - beganAt)),
  });
}

/** Fewer in a run that only tries the round. */
const aloneMails = (count: number): number => Math.max(10, Math.min(count / 1000, (ALONE_MINUTES * MINUTE_MS) / SLOT_MS));

async function warmUp(entrance: RestEntrance, { random, say }: RoundContext): Promise<void> {
  let next = WARM_UP_FROM;
  const sendSome = async (): Promise<void> => {
    while (next < WARM_UP_FROM + WARM_UP) await entrance.submit(newMail(random, next++));
  };
  await Promise.all(Array.from({ length: WARM_UP_AT_ONCE }, sendSome));
  say('warm');
}

/** What the small tenant sent: ids, when each was asked for (`performance.now`), how long each answer took, in ms. */
interface Sent {
  ids: string[];
  askedAt: number[];
  answeredMs: number[];
}

class SmallTenant {
  readonly refusals: string[] = [];
  sent = 0;

  constructor(
    private readonly entrance: RestEntrance,
    private readonly context: RoundContext,
  ) {}

  /** Sends so many, each in its slot; fewer when it is ended. */
  async send(count: number, signal?: AbortSignal): Promise<Sent> {
    const { random } = this.context;
    const sent: Sent = { ids: [], askedAt: [], answeredMs: [] };
    const beganAt = performance.now();
    for (let slot = 0; slot < count; slot++) {
      const chosen = (slot + random.next()) * SLOT_MS;
      await sleep(Math.max(0, beganAt + chosen - performance.now()), undefined, { signal }).catch(() => undefined);
      if (signal?.aborted) break;
      const askedAt = performance.now();
      const answer = await this.entrance.submit(newMail(random, SMALL_FROM + this.sent++));
      sent.answeredMs.push(performance.now() - askedAt);
      if (answer.kind === 'accepted') {
        sent.ids.push(answer.messageId);
        sent.askedAt.push(askedAt);
      } else this.refusals.push(answer.reason);
    }
    return sent;
  }

  /** In ms, by id, of the mails that are sent. */
  async acceptToSent(): Promise<Map<string, number>> {
    const events: ToldEvent[] = [];
    for (let page = await this.entrance.events('0', PAGE); ; page = await this.entrance.events(page.cursor, PAGE)) {
      events.push(...page.events);
      if (!page.has_more) break;
    }
    const at = (type: string): Map<string, number> =>
      new Map(events.filter((event) => event.type === type).map((event) => [event.message_id, Number(event.occurred_at_ms)]));
    const queued = at('email.queued');
    return new Map(Array.from(at('email.sent'), ([id, sentAt]) => [id, sentAt - (queued.get(id) ?? NaN)]));
  }
}

/** The small tenant's mails, in ms: from accepting to sent, where an event tells it, and from asking to the answer. */
interface Timed {
  mails: number;
  sentMs: readonly number[];
  answeredMs: readonly number[];
}

interface Outcome {
  settings: Findings['settings'];
  alone: Timed;
  beside: Timed;
  refusals: readonly string[];
  submittedMs: number;
  missing: number;
  twice: number;
  count: number;
  /** Of the small tenant's mails beside the large one: when it was sent, since the large one began, and accepted to sent. */
  slowest: [afterMs: number, sentMs: number][];
  /** Each delivery of the large tenant, since it began. */
  deliveredAfterMs: readonly number[];
}

function slowest({ ids, askedAt }: Sent, times: ReadonlyMap<string, number>, beganAt: number): Outcome['slowest'] {
  const all = ids.map((id, i): [number, number] => [(askedAt[i] ?? NaN) - beganAt, times.get(id) ?? NaN]);
  return all.toSorted(([, a], [, b]) => b - a).slice(0, SLOWEST);
}

function findings({ alone, beside, deliveredAfterMs, submittedMs, ...outcome }: Outcome): Findings {
  const ratio = quantiles(beside.sentMs).p95 / quantiles(alone.sentMs).p95;
  const lastMs = deliveredAfterMs.reduce((last, ms) => Math.max(last, ms), 0);
  const minutes = Map.groupBy(deliveredAfterMs, (ms) => Math.floor(ms / MINUTE_MS));
  const untimed = [alone, beside].reduce((sum, { mails, sentMs }) => sum + mails - sentMs.length, 0);
  return {
    settings: outcome.settings,
    figures: [
      ...timesOf('small tenant alone', alone),
      ...timesOf('small tenant beside the large one', beside),
      ['p95 beside / p95 alone', ratio.toFixed(2)],
      [
        'large tenant: submitted within',
        `${(submittedMs / 1000).toFixed(1)} s (${((outcome.count / submittedMs) * 1000).toFixed(0)} mails/s)`,
      ],
      [
        'large tenant: delivered within',
        `${(lastMs / 1000).toFixed(0)} s (${((deliveredAfterMs.length / lastMs) * 1000).toFixed(0)} mails/s)`,
      ],
    ],
    tables: [
      {
        title: 'Slowest mails of the small tenant beside the large one',
        columns: ['s after the large one began', 'accepted to sent, ms'],
        rows: outcome.slowest.map(([afterMs, sentMs]) => [(afterMs / 1000).toFixed(1), sentMs.toFixed(0)]),
      },
      {
        title: 'Deliveries of the large tenant',
        columns: ['minute', 'mails'],
        rows: Array.from({ length: Math.ceil(lastMs / MINUTE_MS) }, (_, minute) => [minute + 1, minutes.get(minute)?.length ?? 0]),
      },
    ],
    invariants: [
      {
        holds: ratio <= MAX_RATIO,
        text: `the small tenant’s p95 beside the large one is within ${MAX_RATIO} times its own alone (${ratio.toFixed(2)})`,
      },
      { holds: outcome.refusals.length === 0, text: `every mail was accepted (refused: ${tally(outcome.refusals)})` },
      { holds: outcome.missing === 0, text: `every accepted mail was delivered (missing: ${outcome.missing})` },
      { holds: outcome.twice === 0, text: `none was delivered twice (${outcome.twice})` },
      { holds: untimed === 0, text: `every mail of the small tenant has its time (without: ${untimed})` },
    ],
    notes: [
      'Beside: the mails that the small tenant sent between the first submission of the large one and its last delivery. The quantiles are those of the samples as they ' +
        'are, nothing interpolated: of n values the one at the place ⌊share × n⌋, in order, from 0.',
      'The large tenant may hold three quarters of the places (connections to the relay) at most, also when nobody else wants them.',
      'The sender of the load runs on the same machine and takes its share of the CPU.',
    ],
  };
}

function timesOf(who: string, { mails, sentMs, answeredMs }: Timed): Findings['figures'] {
  const told = (values: readonly number[]): string => {
    const { p50, p95, max } = quantiles(values);
    return [p50, p95, max].map((ms) => ms.toFixed(0)).join(' / ');
  };
  return [
    [`${who}: mails`, mails],
    [`${who}: accepted to sent, p50 / p95 / longest, ms`, told(sentMs)],
    [`${who}: asked to answered, p50 / p95 / longest, ms`, told(answeredMs)],
  ];
}
