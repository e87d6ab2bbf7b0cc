import { CUTS, type Cut, CuttingRelay, type SeenMail } from './cutting.relay';
import { eachOf } from './each-of';
import { untilNoneLeft } from './moving';
import { type NewMail, newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { type MailStatus, RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { tally } from './tally';

const PATIENCE_MS = 60_000;
const RETRY_SOON = { MAIL_RETRY_BASE_SECONDS: '1', MAIL_RETRY_MAX_SECONDS: '5' };
const BEFORE: readonly Cut[] = CUTS.filter((cut) => cut !== 'after the dot');
/** More than are counted on: some dots cross the cut on the wire, and then the mail was not cut before its dot. */
const SPARE_SHARE = 0.05;
/** Such a message comes in more than one piece, so that the cut is within it. */
const LONG_BODY = 'a line of a body that is long enough\r\n'.repeat(4000);

export const dots: Round = {
  title: 'connections cut just before and just after the final dot',
  does:
    'Mails for single recipients, with on_uncertain=hold, to a relay of the round’s own, which reads the bytes of the connection and cuts each mail’s once. Half of the ' +
    'mails, by chance: right after the final dot was read, without a reply; they are the ones that nobody can know about. The others before it, by turns of chance: in ' +
    'place of the reply to DATA, within the message, and when all of the message but the dot was read; they are taken when they come again.',
  count: { of: 'mails cut after the dot, and as many before it', default: 1000, max: 20_000 },
  concurrency: { of: 'sends at a time', default: 16, max: 128 },
  run,
};

/** One mail, and what is known of it at the end. */
interface Sent {
  id: string;
  cut: Cut;
  seen: Readonly<SeenMail>;
  told: MailStatus;
  doubts: number;
}

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count } = context;
  const cuts = cutsFor(context);
  let database: ProofDatabase | undefined;
  const isMarked = async (envid: string): Promise<boolean> => (await database?.isDataSent(envid)) ?? false;
  const relay = await CuttingRelay.start({ cutOf: (recipient) => cuts[numberOf(recipient)] ?? 'after the dot', isMarked }, started);
  const stack = await ProofStack.start(started, { ...RETRY_SOON, ...context.settings, MAIL_RELAY_URL: relay.url });
  const records = (database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started));
  const { urls, token } = stack.description;
  const rest = new RestEntrance(urls.gateway, token, context.concurrency, started);

  const ids = new Map<number, string>();
  const refusals: string[] = [];
  context.progress(() => `${ids.size} accepted, ${relay.total('cuts')} cut, ${relay.total('taken')} taken`);
  await eachOf(cuts.keys(), context.concurrency, async (number) => {
    const answer = await rest.submit(mailFor(number, cuts, context));
    if (answer.kind === 'accepted') ids.set(number, answer.messageId);
    else refusals.push(answer.reason);
  });
  say('all answered; waiting until nothing is queued');
  const drained = await untilNoneLeft(() => records.jobs(), PATIENCE_MS);

  const doubts = await records.events('email.uncertain');
  const sent: Sent[] = [];
  await eachOf(ids, context.concurrency, async ([number, id]) => {
    const told = await rest.read(id);
    sent.push({ id, cut: cuts[number] as Cut, seen: relay.seen(recipientOf(number)), told, doubts: doubts.get(id) ?? 0 });
  });
  return findings(sent, { settings: await records.settings(), expected: cuts.length, count, refusals, drained });
}

/** Which cut each mail gets: as many after the dot as before it, and a few to spare. */
function cutsFor({ random, count }: RoundContext): Cut[] {
  const cuts = Array.from({ length: count + Math.ceil(count * (1 + SPARE_SHARE)) }, (_, i) =>
    i < count ? 'after the dot' : random.pick(BEFORE),
  );
  return cuts
    .map((cut) => ({ cut, at: random.next() }))
    .sort((one, other) => one.at - other.at)
    .map(({ cut }) => cut);
}

const recipientOf = (number: number): string => `recipient-${number}@example.org`;
const numberOf = (recipient: string): number => Number(/^recipient-(\d+)@/.exec(recipient)?.[1]);

function mailFor(number: number, cuts: readonly Cut[], { random }: RoundContext): NewMail {
  const mail: NewMail = { ...newMail(random, number), to: [recipientOf(number)], on_uncertain: 'hold' };
  return cuts[number] === 'within the message' ? { ...mail, body: LONG_BODY } : mail;
}

interface Whole {
  settings: Findings['settings'];
  expected: number;
  count: number;
  refusals: readonly string[];
  drained: boolean;
}

function findings(sent: readonly Sent[], { settings, expected, count, refusals, drained }: Whole): Findings {
  const after = sent.filter(({ cut, seen }) => cut === 'after the dot' || seen.crossed > 0);
  const before = sent.filter((mail) => !after.includes(mail));
  const unmarked = sent.reduce((sum, { seen }) => sum + seen.unmarked, 0);
  const crossed = after.filter(({ seen }) => seen.crossed > 0).length;
  const notOnce = after.filter(({ seen }) => seen.dots !== 1 + seen.late || seen.cuts !== 1);
  const notInDoubt = after.filter(({ told, doubts }) => told.status !== 'uncertain' || doubts !== 1);
  const otherReasons = after.flatMap(({ told }) => told.recipients).filter(({ reason }) => reason !== 'NO_REPLY_AFTER_DATA');
  const wronglyInDoubt = before.filter(({ told, doubts }) => told.status === 'uncertain' || doubts > 0);
  const notSent = before.filter(({ told }) => told.status !== 'sent');
  const notTakenOnce = before.filter(({ seen }) => seen.cuts !== 1 || seen.taken !== 1 || seen.dots !== 1 + seen.late);
  return {
    settings,
    figures: [
      ...CUTS.map((cut): [string, number] => [`cut ${cut}`, sent.filter((mail) => mail.cut === cut).length]),
      ['uncertain, as GET tells', sent.filter(({ told }) => told.status === 'uncertain').length],
      ['events email.uncertain', sent.reduce((sum, { doubts }) => sum + doubts, 0)],
      ['states told', tally(sent.map(({ told }) => told.status))],
      ['tries that came too late to be cut before the dot', sent.reduce((sum, { seen }) => sum + seen.late, 0)],
      ['mails whose dot crossed the cut on the wire, which count as cut after it', crossed],
    ],
    invariants: [
      { holds: refusals.length === 0 && sent.length === expected, text: `every mail was accepted (refused: ${tally(refusals)})` },
      { holds: drained, text: 'nothing is queued any more' },
      {
        holds: unmarked === 0,
        text: `whenever a dot was read, it was committed before that it may be on its way (dots read without: ${unmarked})`,
      },
      {
        holds: notOnce.length === 0,
        text: `of each mail cut after the dot exactly one dot was read, those put off by 451 aside (others: ${such(notOnce)})`,
      },
      {
        holds: notInDoubt.length === 0 && otherReasons.length === 0,
        text: `each of them is \`uncertain\` by GET, by NO_REPLY_AFTER_DATA, with one event email.uncertain (others: ${such(notInDoubt)})`,
      },
      { holds: wronglyInDoubt.length === 0, text: `no mail cut before the dot is or was uncertain (others: ${such(wronglyInDoubt)})` },
      { holds: notSent.length === 0, text: `each of them is \`sent\` (others: ${such(notSent)})` },
      { holds: notTakenOnce.length === 0, text: `each of them was cut once, and then taken exactly once (others: ${such(notTakenOnce)})` },
      {
        holds: after.length - crossed === count && before.length >= count && BEFORE.every((cut) => before.some((mail) => mail.cut === cut)),
        text: `${count} mails were cut after the dot, and as many or more before it, in each of the ways (${before.length})`,
      },
    ],
    notes: [
      'Dots, cuts and deliveries are counted by the relay, which is the other end of the wire. States are asked for by GET, each mail; events are read in the database.',
      'When the relay has read a dot, and before it replies or cuts, it looks into the database for the mark (`job.data_sent_at`).',
      'All of the message but the dot: as many bytes as MAIL FROM announced with SIZE. Where the dot was read together with the rest, the relay puts the mail off (451) and ' +
        'cuts it at the next try.',
      'To cut, the relay ends its half of the connection without a word and goes on reading: a dot that still comes had left before the sender could know of the cut, ' +
        'and the sender is rightly in doubt.',
      'A kept connection that is cut before the dot is replaced within the same attempt, so not every such mail is seen as `deferred`.',
    ],
  };
}

/** How many, and one of them. */
function such([first, ...others]: readonly Sent[]): string {
  if (!first) return '0';
  const { id, cut, told } = first;
  return `${1 + others.length}, such as ${id}: cut ${cut}, ${told.status} ${told.recipients[0]?.reason ?? ''}`.trim();
}
