import { setTimeout as sleep } from 'node:timers/promises';
import { Aim } from './aim';
import { eachOf } from './each-of';
import type { Answer, CancelAnswer } from './entrance';
import { GrpcEntrance } from './grpc.entrance';
import { InboxWatch } from './inbox.watch';
import { untilNoneLeft } from './moving';
import { newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { tally } from './tally';

const PATIENCE_MS = 60_000;
/** Nothing is queued, and yet a canceled mail might be under way: what may not come is waited for by time. */
const QUIET_MS = 2000;
/** A hand-over that takes a while, and few at a time: a mail is not always claimed before its cancel can be there. */
const SLOW_HANDOVER = { MAIL_RELAY_CONNECTIONS: '4', SGE_SMTP_SINK_LATENCY_MS: '15' };
const SCHEDULED_SHARE = 0.4;
/** From the answer to the cancel. */
const AFTER_ACCEPT_MS = { min: 0, max: 30 };
/** From `send_at` to the cancel: a worker looks for what has become due at least once a second. */
const AROUND_DUE_MS = { min: -200, max: 1200 };
const LEAST_SHARE = 0.1;
const NOTHING_TO_CANCEL = 'NOTHING_TO_CANCEL';

export const cancels: Round = {
  title: 'cancels raced against the hand-over',
  does:
    `Mails by REST and by gRPC, by chance, to the stack of \`npm start\`, with few connections to a relay that takes its time. Each is canceled, by one wire or the other, at a random moment around its hand-over: ` +
    `${AFTER_ACCEPT_MS.min} to ${AFTER_ACCEPT_MS.max} ms after it was accepted, or, for four mails in ten, which have a send_at one to two seconds ahead, ` +
    `${AROUND_DUE_MS.min} to ${AROUND_DUE_MS.max} ms after that time. The moments gather where half of the cancels are too late. What is canceled may never be delivered; what is refused as ` +
    `${NOTHING_TO_CANCEL} must be, once.`,
  count: { of: 'mails', default: 1000, max: 50_000 },
  concurrency: { of: 'mails at a time', default: 24, max: 256 },
  run,
};

type Wire = RestEntrance | GrpcEntrance;

/** One mail that was accepted, and how its cancel was answered. */
interface Raced {
  id: string;
  /** Such as `REST, canceled by gRPC`. */
  wires: string;
  scheduled: boolean;
  answer: CancelAnswer;
}

/** What is known of the mails when all is over. */
interface Seen {
  inbox: InboxWatch;
  statuses: ReadonlyMap<string, string>;
  canceledEvents: ReadonlyMap<string, number>;
  sentEvents: ReadonlyMap<string, number>;
  settings: Findings['settings'];
  refusals: readonly string[];
  drained: boolean;
}

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, concurrency } = context;
  const stack = await ProofStack.start(started, { ...SLOW_HANDOVER, ...context.settings });
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const inbox = new InboxWatch(stack.inbox, started);
  const { urls, ports, token } = stack.description;
  const rest = new RestEntrance(urls.gateway, token, concurrency, started);
  const wires: Wire[] = [rest, new GrpcEntrance(`127.0.0.1:${ports.mail_grpc}`, token, 'field', started)];

  const raced: Raced[] = [];
  const refusals: string[] = [];
  const aims = { atOnce: new Aim(AFTER_ACCEPT_MS), scheduled: new Aim(AROUND_DUE_MS) };
  context.progress(() => `${raced.length} raced, ${raced.filter(isCanceled).length} canceled, ${inbox.size} delivered`);
  await eachOf(Array(context.count).keys(), concurrency, async (number) => {
    const race = await raceOne(number, wires, aims, context);
    if ('id' in race) raced.push(race);
    else refusals.push(race.reason);
  });
  say('all answered; waiting until nothing is queued');
  const drained = await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  await sleep(QUIET_MS);

  const statuses = new Map<string, string>();
  await eachOf(raced, concurrency, async ({ id }) => void statuses.set(id, (await rest.read(id)).status));
  return findings(raced, {
    inbox,
    statuses,
    canceledEvents: await database.events('email.canceled'),
    sentEvents: await database.events('email.sent'),
    settings: await database.settings(),
    refusals,
    drained,
  });
}

async function raceOne(
  number: number,
  wires: readonly Wire[],
  aims: Record<'atOnce' | 'scheduled', Aim>,
  context: RoundContext,
): Promise<Raced | Extract<Answer, { kind: 'refused' }>> {
  const random = context.random.branch(number);
  const [by, canceledBy] = [random.pick(wires), random.pick(wires)];
  const scheduled = random.next() < SCHEDULED_SHARE;
  const aim = scheduled ? aims.scheduled : aims.atOnce;
  const sendAt = Math.floor(Date.now() / 1000) + 2;
  const answer = await by.submit({ ...newMail(context.random, number), ...(scheduled && { send_at: sendAt }) });
  if (answer.kind === 'refused') return answer;
  const id = answer.messageId;
  await sleep(aim.next(random) + (scheduled ? sendAt * 1000 - Date.now() : 0));
  const raced = { id, wires: `${by.name}, canceled by ${canceledBy.name}`, scheduled, answer: await canceledBy.cancel(id) };
  aim.tell(isCanceled(raced) ? 'early' : 'late');
  return raced;
}

const isCanceled = ({ answer }: Raced): boolean => answer.kind === 'answered' && answer.status === 'canceled';
const isTooLate = ({ answer }: Raced): boolean => answer.kind === 'refused' && answer.reason === NOTHING_TO_CANCEL;

function findings(raced: readonly Raced[], seen: Seen): Findings {
  const { inbox, statuses, canceledEvents, sentEvents, settings, refusals, drained } = seen;
  const canceled = raced.filter(isCanceled);
  const tooLate = raced.filter(isTooLate);
  const others = raced.filter((race) => !isCanceled(race) && !isTooLate(race));
  const delivered = canceled.filter(({ id }) => inbox.has(id));
  const notOnce = tooLate.filter(({ id }) => inbox.deliveries(id).length !== 1);
  const agrees = (id: string, status: string, canceledOf: number, sentOf: number): boolean =>
    statuses.get(id) === status && (canceledEvents.get(id) ?? 0) === canceledOf && (sentEvents.get(id) ?? 0) === sentOf;
  const unlike = [...canceled.filter(({ id }) => !agrees(id, 'canceled', 1, 0)), ...tooLate.filter(({ id }) => !agrees(id, 'sent', 0, 1))];
  const such = (races: readonly Raced[]): string => (races.length === 0 ? '0' : `${races.length}, such as ${races[0]?.id}`);
  const least = Math.ceil(raced.length * LEAST_SHARE);
  const groups = [...Map.groupBy(raced, ({ wires, scheduled }) => `${wires}, ${scheduled ? 'scheduled' : 'at once'}`)].sort();
  return {
    settings,
    figures: [
      ['mails', raced.length],
      ['canceled', canceled.length],
      ['too late to be canceled', tooLate.length],
      ['delivered', inbox.size],
    ],
    tables: [
      {
        title: 'Outcomes',
        columns: ['sent by, canceled by, when', 'mails', 'canceled', 'too late'],
        rows: groups.map(([name, races]) => [name, races.length, races.filter(isCanceled).length, races.filter(isTooLate).length]),
      },
    ],
    invariants: [
      { holds: refusals.length === 0, text: `every mail was accepted (refused: ${tally(refusals)})` },
      {
        holds: others.length === 0,
        text: `every cancel was answered canceled or ${NOTHING_TO_CANCEL} (others: ${tally(others.map(({ answer }) => (answer.kind === 'refused' ? answer.reason : answer.status)))})`,
      },
      { holds: drained, text: 'nothing is queued any more' },
      { holds: delivered.length === 0, text: `none that was answered canceled was delivered (delivered: ${such(delivered)})` },
      {
        holds: notOnce.length === 0,
        text: `each that was refused as ${NOTHING_TO_CANCEL} was delivered exactly once (others: ${such(notOnce)})`,
      },
      {
        holds: unlike.length === 0,
        text: `state and events agree: \`canceled\` and one email.canceled, or \`sent\` and one email.sent (others: ${such(unlike)})`,
      },
      { holds: inbox.size === tooLate.length, text: `nothing else was delivered (${inbox.size} in the inbox)` },
      {
        holds: canceled.length >= least && tooLate.length >= least,
        text: `each outcome came at least one time in ten (${canceled.length} and ${tooLate.length} of ${raced.length})`,
      },
    ],
    notes: [
      'Deliveries are counted by the events of the inbox’s folder (inotify), until nothing was queued for 2 s. States are asked for by GET, each mail; events are read in the database.',
      'When the moments come depends on the machine: by the share of each outcome it shows whether the race was one.',
    ],
  };
}
