import { InboxWatch } from './inbox.watch';
import { MemorySampler, type MemoryPeak } from './memory.sampler';
import { untilNoneLeft } from './moving';
import { newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { quantiles } from './quantiles';
import { RestEntrance } from './rest.entrance';
import type { Findings, Invariant, Round, RoundContext } from './round';
import { tally } from './tally';

const PATIENCE_MS = 60_000;
const MOST_MEBIBYTES = 256;
const READ_SAMPLE = 500;

export const sends: Round = {
  title: 'many sends, none lost, bounded memory',
  does:
    'Sends mails over REST to a started stack (gateway, mail, PostgreSQL and SMTP sink, each its own process, with default settings but for those named in the command), ' +
    'a fixed number at a time over kept connections, each with its own recipient, subject and body. Then waits until every accepted mail ' +
    'lies in the sink’s inbox and is recorded as sent. The memory of gateway and mail is read twice a second from start to end.',
  count: { of: 'mails', default: 20_000, max: 200_000 },
  concurrency: { of: 'sends at a time', default: 64, max: 512 },
  run,
};

/** What came of the sends: times as `performance.now` has them. */
interface Sent {
  beganAt: number;
  endedAt: number;
  acceptedAt: Map<string, number>;
  latencies: number[];
  refusals: string[];
}

async function run(context: RoundContext): Promise<Findings> {
  const { started, say } = context;
  const stack = await ProofStack.start(started, context.settings);
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const settings = await database.settings();
  const inbox = new InboxWatch(stack.inbox, started);
  const pids = { gateway: stack.pid('gateway'), mail: stack.pid('mail') };
  const memory = new MemorySampler(pids, started);
  const { urls, token } = stack.description;
  const rest = new RestEntrance(urls.gateway, token, context.concurrency, started);

  const sent = await sendAll(context, rest, inbox);
  say(`all answered: ${sent.acceptedAt.size} accepted, ${sent.refusals.length} refused; waiting for the inbox`);
  await untilNoneLeft(() => inbox.missing(sent.acceptedAt.keys()).length, PATIENCE_MS);
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);

  const read = await readSome(context, rest, [...sent.acceptedAt.keys()]);
  const [emails, notSent, attempts, acceptedTwice] = [
    await database.emails(),
    await database.recipientsNotSent(),
    await database.attemptsAccepted(),
    await database.acceptedTwice(),
  ];
  const peaks = memory.stop();
  const files = inbox.files();
  const missing = [...sent.acceptedAt.keys()].filter((id) => !files.has(id)).length;
  const samePids = stack.pid('gateway') === pids.gateway && stack.pid('mail') === pids.mail;
  return {
    settings,
    figures: figures(sent, inbox, peaks),
    invariants: [
      { holds: sent.refusals.length === 0, text: `every send was accepted (refused: ${tally(sent.refusals)})` },
      { holds: missing === 0, text: `every accepted message_id lies in the inbox as .eml (missing: ${missing})` },
      { holds: files.size === sent.acceptedAt.size, text: `nothing else lies there (files: ${files.size})` },
      { holds: inbox.twice().length === 0, text: `none was delivered twice (by the inbox’s events: ${inbox.twice().length})` },
      {
        holds: acceptedTwice === 0 && attempts === emails,
        text: `nor by the attempts recorded (${attempts} accepted, of ${emails} mails)`,
      },
      { holds: notSent === 0, text: `every recipient is recorded as sent (others: ${notSent})` },
      { holds: read.wrong === 0, text: `GET says sent, after one attempt (${read.asked} mails asked for, others: ${read.wrong})` },
      ...(['gateway', 'mail'] as const).map((name) => bounded(name, peaks[name])),
      { holds: samePids, text: 'gateway and mail are the same processes as at the start' },
    ],
    notes: [
      'Deliveries are counted by the events of the inbox’s folder (inotify): the sink keeps a second mail of the same id over the first, which is an event of ' +
        'its own. The attempts that mail recorded are the second count, independent of the first.',
      'Delivered in all: every file of the inbox and every row of the database. GET: a sample.',
      'The sender of the load runs on the same machine and takes its share of the CPU.',
    ],
  };
}

async function sendAll(context: RoundContext, rest: RestEntrance, inbox: InboxWatch): Promise<Sent> {
  const sent: Sent = { beganAt: performance.now(), endedAt: 0, acceptedAt: new Map(), latencies: [], refusals: [] };
  context.progress(() => `${sent.acceptedAt.size} accepted, ${inbox.size} delivered`);
  let next = 0;
  const sender = async (): Promise<void> => {
    while (next < context.count) {
      const mail = newMail(context.random, next++);
      const at = performance.now();
      const answer = await rest.submit(mail);
      sent.latencies.push(performance.now() - at);
      if (answer.kind === 'accepted') sent.acceptedAt.set(answer.messageId, performance.now());
      else sent.refusals.push(answer.reason);
    }
  };
  await Promise.all(Array.from({ length: context.concurrency }, sender));
  return { ...sent, endedAt: performance.now() };
}

async function readSome({ random }: RoundContext, rest: RestEntrance, ids: readonly string[]): Promise<{ asked: number; wrong: number }> {
  const asked = Math.min(READ_SAMPLE, ids.length);
  let wrong = 0;
  for (let i = 0; i < asked; i++) {
    const { status, attempts } = await rest.read(random.pick(ids));
    if (status !== 'sent' || attempts.length !== 1) wrong++;
  }
  return { asked, wrong };
}

function figures(
  { beganAt, endedAt, acceptedAt, latencies }: Sent,
  inbox: InboxWatch,
  peaks: Record<string, MemoryPeak>,
): Findings['figures'] {
  const accept = quantiles(latencies);
  const deliveries = [...acceptedAt].flatMap(([id, at]) =>
    inbox
      .deliveries(id)
      .slice(0, 1)
      .map((deliveredAt) => deliveredAt - at),
  );
  // A mail may be delivered before its answer has come.
  const delivery = quantiles(deliveries.map((ms) => Math.max(ms, 0)));
  const lastDelivery = Math.max(...[...acceptedAt.keys()].flatMap((id) => inbox.deliveries(id)));
  const perSecond = (number: number, until: number): string => (number / ((until - beganAt) / 1000)).toFixed(0);
  return [
    ['accepted', acceptedAt.size],
    ['delivered', deliveries.length],
    ['accepts/s', perSecond(acceptedAt.size, endedAt)],
    ['delivered/s, from the first send to the last delivery', perSecond(deliveries.length, lastDelivery)],
    ['answer, p50 / p99 / longest, ms', `${accept.p50.toFixed(1)} / ${accept.p99.toFixed(1)} / ${accept.max.toFixed(1)}`],
    [
      'from the answer to the inbox, p50 / p99 / longest, s',
      [delivery.p50, delivery.p99, delivery.max].map((ms) => (ms / 1000).toFixed(2)).join(' / '),
    ],
    ...Object.entries(peaks).map(([name, { sampled, highWater, samples }]): [string, string] => [
      `memory of ${name}, peak`,
      `${sampled.toFixed(0)} MiB of ${samples} samples; ${highWater.toFixed(0)} MiB by the kernel’s record`,
    ]),
  ];
}

const bounded = (name: string, { sampled, highWater }: MemoryPeak): Invariant => ({
  holds: Math.max(sampled, highWater) < MOST_MEBIBYTES,
  text: `${name} stayed under ${MOST_MEBIBYTES} MiB (${Math.max(sampled, highWater).toFixed(0)} MiB)`,
});
