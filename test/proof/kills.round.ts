import { eachOf } from './each-of';
import { EventHistory } from './event-history';
import { Flow } from './flow';
import { GrpcEntrance } from './grpc.entrance';
import { InboxWatch } from './inbox.watch';
import { type Kill, Killing } from './killing';
import { untilNoneLeft } from './moving';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { RestEntrance } from './rest.entrance';
import type { Figure, Findings, Invariant, Round, RoundContext } from './round';
import { Started } from './started';
import { tally } from './tally';

/** A lease lasts 15 s: a silence this long is no waiting for one. */
const PATIENCE_MS = 60_000;
/** With 200 senders some 200 mails a second: no more than the machine delivers beside being killed. */
const PAUSE_MS = { min: 500, max: 1500 };
const PAGE_SIZE = 1000;
const ASK_AT_ONCE = 32;

/** A part that is killed every few seconds is no part that cannot be kept running; what was put off is tried again soon. */
const SETTINGS = { SGE_STEADY_SECONDS: '1', MAIL_RETRY_BASE_SECONDS: '1', MAIL_RETRY_MAX_SECONDS: '5' };

type Mode = 'resend' | 'hold';

export const kills: Round = {
  title: 'mail, PostgreSQL, gateway and sink killed with -9, in turn, under load on both wires',
  does:
    'The stack of `npm start`, once with MAIL_ON_UNCERTAIN=resend and once with hold. Senders on both wires (half of the mails by REST, half by gRPC, by chance) give each ' +
    'mail an idempotency key and ask again, by either wire, until it is acknowledged. In each round mail, PostgreSQL (its first process), the gateway and the sink are ' +
    'killed with SIGKILL one after the other, in an order and at distances of chance; the stack starts them again. Some are killed while another one is still away. After ' +
    'the last round nothing is waited for but that no mail is queued any more. With hold, those that are uncertain then are settled as an operator would: `sent` by ' +
    'POST /api/v1/mail/:id/resolve where the mail lies in the inbox, `resend` where it does not.',
  count: { of: 'rounds of four kills, in each mode', default: 20, max: 100 },
  concurrency: { of: 'senders', default: 200, max: 512 },
  run,
};

/** One mode, looked at from the outside once nothing is queued any more. */
interface Seen {
  mode: Mode;
  kills: readonly Kill[];
  flow: Flow;
  inbox: InboxWatch;
  /** What GET says of each acknowledged id. */
  statuses: ReadonlyMap<string, string>;
  history: EventHistory;
  drained: boolean;
  emails: number;
  settings: Figure[];
  database: ProofDatabase;
  rest: RestEntrance;
}

async function run(context: RoundContext): Promise<Findings> {
  const seen: Seen[] = [];
  const invariants: Invariant[] = [];
  const figures: Figure[] = [];
  for (const mode of ['resend', 'hold'] as const) {
    const started = new Started();
    context.started.onEnd(() => started.end());
    const outcome = await killThrough(mode, { ...context, started });
    seen.push(outcome);
    figures.push(...figuresOf(outcome));
    invariants.push(...invariantsOf(outcome), ...(mode === 'hold' ? await settle(outcome) : []));
    await started.end();
  }
  return {
    settings: seen[0]?.settings ?? [],
    figures,
    tables: [killTable(seen)],
    invariants,
    notes: [
      'Acknowledged: what a client was told. Delivered: the events of the inbox’s folder (inotify), one for each mail that the sink moved into it, so that a second ' +
        'delivery of the same id counts; the sink is killed, the watch is not. Uncertain: what the product’s own events say, read by GET /api/v1/events.',
      'The states that GET tells are asked for each acknowledged id.',
      'Accepted mails are counted in the database as well: one that nobody was told of would be more than there are keys.',
      'A kill is back when the stack says so; a process is asked for readiness before.',
    ],
  };
}

async function killThrough(mode: Mode, context: RoundContext): Promise<Seen> {
  const { started, say, concurrency, count } = context;
  const stack = await ProofStack.start(started, { ...SETTINGS, ...context.settings, MAIL_ON_UNCERTAIN: mode });
  const { urls, ports, token } = stack.description;
  const rest = new RestEntrance(urls.gateway, token, concurrency, started);
  const grpc = new GrpcEntrance(`127.0.0.1:${ports.mail_grpc}`, token, 'field', started);
  const { DATABASE_URL } = stack.mailEnvironment();
  const inbox = new InboxWatch(stack.inbox, started);
  const flow = new Flow(context, [rest, grpc], { name: mode, pauseMs: PAUSE_MS });
  const killing = new Killing(stack, context.random.branch(mode === 'hold' ? -2 : -3));
  context.progress(() => `${mode}: ${killing.kills.length} kills, ${flow.acknowledged.size} acknowledged, ${inbox.size} delivered`);

  const sending = flow.begin();
  for (let round = 1; round <= count; round++) {
    await killing.round(round);
    say(`${mode}: round ${round} of ${count}`);
  }
  await killing.allBack();
  flow.end();
  await sending;
  say(`${mode}: all acknowledged; waiting until nothing is queued`);
  const database = await ProofDatabase.connect(DATABASE_URL, started);
  const drained = await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  return {
    mode,
    rest,
    kills: killing.kills,
    flow,
    inbox,
    statuses: await statusesOf(flow.acknowledged.keys(), rest),
    history: await historyOf(rest),
    drained,
    emails: await database.emails(),
    settings: await database.settings(),
    database,
  };
}

const historyOf = (rest: RestEntrance): Promise<EventHistory> => EventHistory.read((after) => rest.events(after, PAGE_SIZE));

async function statusesOf(ids: Iterable<string>, rest: RestEntrance): Promise<Map<string, string>> {
  const statuses = new Map<string, string>();
  await eachOf(ids, ASK_AT_ONCE, async (id) => void statuses.set(id, (await rest.read(id)).status));
  return statuses;
}

/** As an operator would, who looks into the inbox. */
async function settle({ flow, inbox, statuses, rest, database }: Seen): Promise<Invariant[]> {
  const held = [...statuses].flatMap(([id, status]) => (status === 'uncertain' ? [id] : []));
  const files = inbox.files();
  await eachOf(held, ASK_AT_ONCE, (id) => rest.resolve(id, files.has(id) ? 'sent' : 'resend', 'looked into the inbox'));
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  await untilNoneLeft(() => inbox.missing(flow.acknowledged.keys()).length, PATIENCE_MS);
  const others = [...flow.acknowledged.keys()].filter((id) => inbox.deliveries(id).length !== 1).length;
  const told = await statusesOf(held, rest);
  const history = await historyOf(rest);
  const open = held.filter((id) => told.get(id) !== 'sent' || history.status(id) !== 'sent').length;
  const text = [
    `every acknowledged id was delivered exactly once (others: ${others})`,
    `GET and the last event say \`sent\` of every one that was held (others: ${open} of ${held.length})`,
  ];
  return [others, open].map((number, i) => ({ holds: number === 0, text: `hold, once settled by hand: ${text[i]}` }));
}

function invariantsOf(seen: Seen): Invariant[] {
  const { mode, flow, inbox, history, statuses, drained, emails } = seen;
  const files = inbox.files();
  const acknowledged = [...flow.acknowledged.keys()];
  const unseen = [...files].filter((id) => !inbox.has(id)).length;
  const unasked = [...files].filter((id) => !flow.acknowledged.has(id)).length;
  const unlike = acknowledged.filter((id) => history.status(id) !== statuses.get(id)).length;
  const told: [boolean, string][] = [
    ...(mode === 'resend' ? resendHolds(acknowledged, seen) : holdHolds(acknowledged, seen)),
    [drained, 'in the end nothing was queued'],
    [unasked === 0, `nothing else was delivered (others: ${unasked})`],
    [flow.ambiguous === 0 && emails === acknowledged.length, `one id a key (${emails} mails for ${acknowledged.length} keys)`],
    [history.gaps === 0, `the events’ cursors are 1, 2, 3 without a gap (${history.last} events, gaps: ${history.gaps})`],
    [unlike === 0, `the last event of every id says the state that GET says (others: ${unlike})`],
    [history.uncertain > 0, `the kills met mails between the dot and the record (uncertain: ${history.uncertain})`],
    [unseen === 0, `the watch of the inbox saw every file come (others: ${unseen})`],
  ];
  return told.map(([holds, text]) => ({ holds, text: `${mode}: ${text}` }));
}

function resendHolds(acknowledged: readonly string[], { inbox, history, statuses }: Seen): [boolean, string][] {
  const files = inbox.files();
  const missing = acknowledged.filter((id) => !files.has(id)).length;
  const twice = inbox.twice();
  const silent = twice.filter((id) => !history.wasUncertain(id)).length;
  const open = acknowledged.filter((id) => statuses.get(id) !== 'sent').length;
  return [
    [missing === 0, `every acknowledged id was delivered (missing: ${missing})`],
    [silent === 0, `delivered more than once only what was \`uncertain\` (${twice.length} delivered more than once, others: ${silent})`],
    [open === 0, `GET says \`sent\` of every one (others: ${open})`],
  ];
}

function holdHolds(acknowledged: readonly string[], { inbox, statuses }: Seen): [boolean, string][] {
  const files = inbox.files();
  const undelivered = acknowledged.filter((id) => !files.has(id));
  const silent = undelivered.filter((id) => statuses.get(id) !== 'uncertain').length;
  const twice = inbox.twice().length;
  const others = acknowledged.filter((id) => statuses.get(id) !== 'sent' && statuses.get(id) !== 'uncertain').length;
  return [
    [twice === 0, `no id was delivered twice (${twice})`],
    [
      silent === 0,
      `every acknowledged id that was not delivered is \`uncertain\` (not delivered: ${undelivered.length}, others: ${silent})`,
    ],
    [others === 0, `GET says \`sent\` or \`uncertain\` of every one (others: ${others})`],
  ];
}

function figuresOf({ mode, kills, flow, inbox, statuses, history }: Seen): Figure[] {
  const files = inbox.files();
  const uncertain = [...statuses].flatMap(([id, status]) => (status === 'uncertain' ? [id] : []));
  const arrived = uncertain.filter((id) => files.has(id)).length;
  const figures: Figure[] = [
    ['kills', kills.length],
    ['acknowledged', flow.acknowledged.size],
    ['delivered', files.size],
    ['uncertain at any time', history.uncertain],
    ['delivered more than once', inbox.twice().length],
    ['uncertain in the end: not delivered / delivered', `${uncertain.length - arrived} / ${arrived}`],
    ['answers that were no acknowledgement', tally(flow.refusals)],
  ];
  return figures.map(([name, value]) => [`${mode}: ${name}`, value]);
}

function killTable(seen: readonly Seen[]): NonNullable<Findings['tables']>[number] {
  const rows = seen.flatMap(({ mode, kills }) =>
    [...Map.groupBy(kills, ({ victim }) => victim)].map(([victim, of]) => {
      const seconds = of.map(({ backMs }) => backMs / 1000).toSorted((a, b) => a - b);
      return [mode, victim, of.length, (seconds[seconds.length >> 1] ?? NaN).toFixed(1), (seconds.at(-1) ?? NaN).toFixed(1)];
    }),
  );
  return { title: 'Kills', columns: ['mode', 'victim', 'kills', 'back after, median, s', 'longest, s'], rows };
}
