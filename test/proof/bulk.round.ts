import { type BulkStream, bulkRequest, submitEmailsStream } from './bulk.streams';
import type { Answer } from './entrance';
import { InboxWatch } from './inbox.watch';
import { MemorySampler, type MemoryPeak } from './memory.sampler';
import { untilNoneLeft } from './moving';
import { newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import type { Findings, Invariant, Round, RoundContext } from './round';
import { tally } from './tally';

const PATIENCE_MS = 60_000;
const MOST_MEBIBYTES = 256;
const MAILS_OF_MESSAGE = 50;

export const bulk: Round = {
  title: 'many mails by the stream, each answered and delivered once, bounded memory',
  does:
    'Sends mails to a started stack (gateway, mail, PostgreSQL and SMTP sink, each its own process, with default settings but for those named in the command) over a few ' +
    `streams, by turns gRPC SubmitEmails (${MAILS_OF_MESSAGE} mails a message) and REST mail/bulk (which is SubmitEmails behind the gateway), each mail with a request_ref and an idempotency key. ` +
    'Nothing but flow control holds the senders back. Then waits until every accepted mail lies in the sink’s inbox and is recorded as sent. ' +
    'The memory of gateway, mail and sink is read twice a second from start to end.',
  count: { of: 'mails', default: 100_000, max: 1_000_000 },
  concurrency: { of: 'streams', default: 4, max: 32 },
  run,
};

/** What the streams were told, and how they ended; times as `performance.now` has them. */
interface Told {
  beganAt: number;
  endedAt: number;
  /** By the number of the mail: how often it was answered. */
  answers: Uint8Array;
  ids: Set<string>;
  replayed: number;
  /** Answers that name no mail that was sent. */
  strange: number;
  refusals: string[];
  ends: string[];
}

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count } = context;
  const stack = await ProofStack.start(started, context.settings);
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const settings = await database.settings();
  const inbox = new InboxWatch(stack.inbox, started);
  const pids = { gateway: stack.pid('gateway'), mail: stack.pid('mail'), sink: stack.pid('sink') };
  const memory = new MemorySampler(pids, started);

  const told = await sendAll(context, stack, inbox);
  const waiting = await database.jobs();
  say(`all ended: ${told.ids.size} accepted, ${told.refusals.length} refused, ${waiting} not delivered yet`);
  // Not by their ids: these are many, and it is asked often.
  await untilNoneLeft(() => Math.max(0, told.ids.size - inbox.size), PATIENCE_MS);
  const deliveredAt = performance.now();
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);

  const [emails, notSent, attempts, acceptedTwice] = [
    await database.emails(),
    await database.recipientsNotSent(),
    await database.attemptsAccepted(),
    await database.acceptedTwice(),
  ];
  const peaks = memory.stop();
  const files = inbox.files();
  const missing = [...told.ids].filter((id) => !files.has(id)).length;
  const unseen = [...files].filter((id) => !inbox.has(id)).length;
  const notOnce = told.answers.filter((times) => times !== 1).length;
  const samePids = (Object.keys(pids) as (keyof typeof pids)[]).every((name) => stack.pid(name) === pids[name]);
  const perSecond = (number: number, until: number): string => (number / ((until - told.beganAt) / 1000)).toFixed(0);
  return {
    settings,
    figures: [
      ['accepted', told.ids.size],
      ['delivered', inbox.size],
      ['accepts/s, while others were delivered', perSecond(told.ids.size, told.endedAt)],
      ['delivered/s, from the first send to the last delivery', perSecond(inbox.size, deliveredAt)],
      ['all answered after', `${((told.endedAt - told.beganAt) / 1000).toFixed(1)} s`],
      ['all delivered after', `${((deliveredAt - told.beganAt) / 1000).toFixed(1)} s`],
      ['accepted and not delivered when all was answered', waiting],
      ...Object.entries(peaks).map(([name, { sampled, highWater, samples }]): [string, string] => [
        `memory of ${name}, peak`,
        `${sampled.toFixed(0)} MiB of ${samples} samples; ${highWater.toFixed(0)} MiB by the kernel’s record`,
      ]),
    ],
    invariants: [
      {
        holds: told.ends.every((end) => end === ''),
        text: `every stream ended as its sender ended it (others: ${tally(told.ends.filter(Boolean))})`,
      },
      {
        holds: notOnce === 0 && told.strange === 0,
        text: `every mail was answered exactly once (others: ${notOnce}, answers to none: ${told.strange})`,
      },
      {
        holds: told.ids.size === count && told.replayed === 0,
        text: `every mail was accepted, by an id of its own (${told.ids.size} ids; refused: ${tally(told.refusals)}; replayed: ${told.replayed})`,
      },
      { holds: emails === count, text: `as many mails are stored (${emails})` },
      { holds: missing === 0, text: `every accepted message_id lies in the inbox as .eml (missing: ${missing})` },
      { holds: files.size === told.ids.size, text: `nothing else lies there (files: ${files.size})` },
      { holds: inbox.twice().length === 0, text: `none was delivered twice (by the inbox’s events: ${inbox.twice().length})` },
      { holds: unseen === 0, text: `these events are whole (files without one: ${unseen})` },
      {
        holds: acceptedTwice === 0 && attempts === emails,
        text: `nor by the attempts recorded (${attempts} accepted, of ${emails} mails)`,
      },
      { holds: notSent === 0, text: `every recipient is recorded as sent (others: ${notSent})` },
      ...Object.entries(peaks).map(([name, peak]) => bounded(name, peak)),
      { holds: samePids, text: 'gateway, mail and sink are the same processes as at the start' },
    ],
    notes: [
      'Deliveries are counted by the events of the inbox’s folder (inotify): the sink keeps a second mail of the same id over the first, which is an event of ' +
        'its own. The kernel drops events when they are not read in time, and then of first deliveries, too: hence the count of files without one. ' +
        'The attempts that mail recorded are the second count, independent of the first.',
      'The senders of the load run on the same machine and take their share of the CPU.',
    ],
  };
}

async function sendAll(context: RoundContext, stack: ProofStack, inbox: InboxWatch): Promise<Told> {
  const { count, concurrency, started } = context;
  const { urls, ports, token } = stack.description;
  const told: Told = {
    beganAt: performance.now(),
    endedAt: 0,
    answers: new Uint8Array(count),
    ids: new Set(),
    replayed: 0,
    strange: 0,
    refusals: [],
    ends: [],
  };
  context.progress(() => `${told.ids.size} accepted, ${inbox.size} delivered`);
  const onAnswer = (requestRef: string, answer: Answer): void => note(told, requestRef, answer);
  const streams = Array.from({ length: concurrency }, (_, i) =>
    i % 2 === 0
      ? submitEmailsStream(`127.0.0.1:${ports.mail_grpc}`, token, onAnswer, started)
      : bulkRequest(urls.gateway, token, onAnswer, started),
  );
  let next = 0;
  const sendBy = async (stream: BulkStream): Promise<void> => {
    while (next < count) {
      const from = next;
      next = Math.min(count, from + MAILS_OF_MESSAGE);
      const numbers = Array.from({ length: next - from }, (_, i) => from + i);
      await stream.send(
        numbers.map((number) => ({ requestRef: String(number), idempotencyKey: `bulk-${number}`, mail: newMail(context.random, number) })),
      );
    }
    const end = await stream.end();
    told.ends.push(end && `${stream.name}: ${end}`);
  };
  await Promise.all(streams.map(sendBy));
  told.endedAt = performance.now();
  return told;
}

function note(told: Told, requestRef: string, answer: Answer): void {
  const number = Number(requestRef);
  if (number in told.answers) told.answers[number]!++;
  else told.strange++;
  if (answer.kind === 'refused') told.refusals.push(answer.reason);
  else {
    told.ids.add(answer.messageId);
    if (answer.replayed) told.replayed++;
  }
}

const bounded = (name: string, { sampled, highWater }: MemoryPeak): Invariant => ({
  holds: Math.max(sampled, highWater) < MOST_MEBIBYTES,
  text: `${name} stayed under ${MOST_MEBIBYTES} MiB (${Math.max(sampled, highWater).toFixed(0)} MiB)`,
});
