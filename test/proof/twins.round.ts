import type { Answer, Entrance } from './entrance';
import { GrpcEntrance } from './grpc.entrance';
import { InboxWatch } from './inbox.watch';
import { untilNoneLeft } from './moving';
import { type NewMail, newMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { tally } from './tally';

const TWINS = { min: 2, max: 50 };
const OTHER_SHARE = 0.2;
const PATIENCE_MS = 60_000;
const REUSED = 'IDEMPOTENCY_KEY_REUSED';

export const twins: Round = {
  title: 'storms of equal idempotency keys on both wires',
  does:
    `For each key, ${TWINS.min} to ${TWINS.max} calls leave at once, each by REST or by gRPC (key in the field or in the metadata) at random; the first storm is ` +
    `${TWINS.max} equal calls. In the others about one call in five has other content under the same key. Which content comes first is open; from then on only it may be ` +
    'answered, always with the same id, and any other must be refused. After the storm both are asked for once more.',
  count: { of: 'keys', default: 500, max: 10_000 },
  concurrency: { of: 'storms at a time', default: 4, max: 16 },
  run,
};

/** A call of a storm and what it was answered. */
interface Told {
  mail: NewMail;
  answer: Answer;
}

/** What came of one key. */
interface Storm {
  key: string;
  told: Told[];
  /** The faults that the answers show, in words. */
  faults: string[];
  winner: { id: string; subject: string } | undefined;
}

async function run(context: RoundContext): Promise<Findings> {
  const { started } = context;
  const stack = await ProofStack.start(started, context.settings);
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const settings = await database.settings();
  const inbox = new InboxWatch(stack.inbox, started);
  const { urls, ports, token } = stack.description;
  const rest = new RestEntrance(urls.gateway, token, TWINS.max * context.concurrency, started);
  const grpc = (['field', 'metadata'] as const).map((keyIn) => new GrpcEntrance(`127.0.0.1:${ports.mail_grpc}`, token, keyIn, started));

  const storms: Storm[] = [];
  context.progress(() => `${storms.length} keys, ${inbox.size} delivered`);
  let next = 0;
  const stormAfterStorm = async (): Promise<void> => {
    while (next < context.count) storms.push(await storm(next++, [rest, rest, ...grpc], context));
  };
  await Promise.all(Array.from({ length: context.concurrency }, stormAfterStorm));
  const ids = storms.flatMap(({ winner }) => winner?.id ?? []);
  await untilNoneLeft(() => inbox.missing(ids).length, PATIENCE_MS);
  await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  return findings(storms, { inbox, settings, emails: await database.emails(), unlike: await countUnlike(storms, rest) });
}

async function storm(number: number, entrances: readonly Entrance[], context: RoundContext): Promise<Storm> {
  const key = `twins-${number}`;
  const random = context.random.branch(number);
  const one = newMail(context.random, number);
  const other = { ...one, body: `${one.body} and more`, subject: `${one.subject} (other)` };
  const size = number === 0 ? TWINS.max : random.integer(TWINS.min, TWINS.max);
  const calls = Array.from({ length: size }, () => ({
    mail: number > 0 && random.next() < OTHER_SHARE ? other : one,
    entrance: random.pick(entrances),
  }));
  const ask = async ({ mail, entrance }: (typeof calls)[number]): Promise<Told> => ({ mail, answer: await entrance.submit(mail, key) });
  const inStorm = await Promise.all(calls.map(ask));
  const after = await Promise.all([one, other].map((mail) => ask({ mail, entrance: random.pick(entrances) })));
  return judge(key, inStorm, after);
}

function judge(key: string, inStorm: readonly Told[], after: readonly Told[]): Storm {
  const told = [...inStorm, ...after];
  const accepted = told.flatMap(({ mail, answer }) => (answer.kind === 'accepted' ? [{ mail, answer }] : []));
  const ids = new Set(accepted.map(({ answer }) => answer.messageId));
  const contents = new Set(accepted.map(({ mail }) => mail));
  const first = accepted.filter(({ answer }) => !answer.replayed).length;
  const faults: string[] = [];
  if (ids.size !== 1) faults.push(`${ids.size} ids`);
  if (contents.size !== 1) faults.push(`${contents.size} contents accepted`);
  if (first !== 1) faults.push(`${first} answers not replayed`);
  for (const { mail, answer } of told) {
    if (answer.kind === 'accepted') continue;
    if (answer.reason !== REUSED) faults.push(answer.reason);
    else if (contents.has(mail)) faults.push('the content accepted was refused');
  }
  const [winner] = accepted;
  return { key, told, faults, winner: winner && { id: winner.answer.messageId, subject: winner.mail.subject } };
}

/** Mails that do not have the content that was acknowledged. */
async function countUnlike(storms: readonly Storm[], rest: RestEntrance): Promise<number> {
  let unlike = 0;
  for (const { winner } of storms) {
    if (winner && (await rest.read(winner.id)).subject !== winner.subject) unlike++;
  }
  return unlike;
}

interface Seen {
  inbox: InboxWatch;
  settings: Findings['settings'];
  emails: number;
  unlike: number;
}

function findings(storms: readonly Storm[], { inbox, settings, emails, unlike }: Seen): Findings {
  const answers = storms.flatMap(({ told }) => told.map(({ answer }) => answer));
  const accepted = answers.filter(({ kind }) => kind === 'accepted').length;
  const faulty = storms.filter(({ faults }) => faults.length > 0);
  const faults =
    faulty.length === 0 ? '0' : `${tally(faulty.flatMap(({ faults }) => faults))}; of ${faulty.length} keys, such as ${faulty[0]?.key}`;
  const ids = new Set(storms.map(({ winner }) => winner?.id));
  const files = inbox.files();
  const mixed = storms.filter(({ told }) => new Set(told.slice(0, -2).map(({ mail }) => mail)).size > 1).length;
  return {
    settings,
    figures: [
      ['keys', storms.length],
      ['storms with two contents', mixed],
      ['calls', answers.length],
      ['accepted or replayed', accepted],
      ['refused', answers.length - accepted],
      ['mails', emails],
      ['delivered', inbox.size],
    ],
    invariants: [
      {
        holds: faulty.length === 0,
        text: `each key: one id, one content, one first answer, all else refused as ${REUSED} (faults: ${faults})`,
      },
      { holds: emails === storms.length && ids.size === storms.length, text: `one mail a key (${emails} mails, ${storms.length} keys)` },
      { holds: unlike === 0, text: `each mail has the content that was acknowledged (others: ${unlike})` },
      { holds: files.size === storms.length && [...files].every((id) => ids.has(id)), text: `each was delivered (${files.size} files)` },
      { holds: inbox.twice().length === 0, text: `none was delivered twice (${inbox.twice().length})` },
    ],
    notes: [
      'Mails are counted in the database and, as delivered, by the events of the inbox’s folder (inotify), which also shows a second delivery of the same id.',
      'REST takes half of the calls, gRPC the other half, the key in the field and in the metadata by turns of chance.',
    ],
  };
}
