import { setTimeout as sleep } from 'node:timers/promises';
import type { Entrance } from './entrance';
import { type Differences, differences, EventReader, type SeenEvent } from './event.reader';
import { listWay, sseWay, watchWay } from './event.ways';
import { Flow } from './flow';
import { GrpcEntrance } from './grpc.entrance';
import { untilNoneLeft } from './moving';
import { OpenTransactions } from './open.transactions';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { quantiles } from './quantiles';
import { RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { tally } from './tally';

const PATIENCE_MS = 60_000;
const READERS_OF_A_KIND = 4;
/** How long the strangers' transactions are left open, and what of the sends comes before and after. */
const OPEN_MS = 60_000;
const BESIDE_MS = 15_000;
/** What a reader may be behind while they are open, its time away from the wire included. */
const BEHIND_MS = 5000;

export const events: Round = {
  title: 'readers of events, cut and gone on, beside two writers and transactions left open',
  does:
    `Two stacks on one database and one relay, so that two mail processes accept and deliver beside each other. While mails are sent through both gateways and both mails, ` +
    `${READERS_OF_A_KIND} readers each by WatchEvents, ListEvents and Server-Sent Events read from the first event on; every connection is cut after 20 to 3000 ms, and the reader ` +
    'goes on from its last cursor at either stack. In the middle, two strangers hold a transaction open for a minute: one that has written, and one that keeps an old snapshot. ' +
    'At the end what each reader saw is compared, field by field and in order, with the event table.',
  count: { of: 'mails, at least', default: 20_000, max: 200_000 },
  concurrency: { of: 'sends at a time', default: 32, max: 128 },
  run,
};

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, count, concurrency } = context;
  // Two mails on one database see the same files.
  const shared = { ...context.settings, FILES_SHARED: 'true' };
  const first = await ProofStack.start(started, shared);
  const { DATABASE_URL, MAIL_RELAY_URL, AUTH_SECRET_FILE, FILES_DIR } = first.mailEnvironment();
  const second = await ProofStack.start(started, { ...shared, DATABASE_URL, MAIL_RELAY_URL, AUTH_SECRET_FILE, FILES_DIR });
  const database = await ProofDatabase.connect(DATABASE_URL, started);
  const settings = await database.settings();
  const stacks = [first, second];

  const readers = readersOf(stacks, context);
  const ending = new AbortController();
  started.onEnd(() => ending.abort());
  const reading = Promise.all(readers.map((reader) => reader.read(ending.signal)));

  const meanPauseMs = ((OPEN_MS + 2 * BESIDE_MS) * concurrency) / count;
  const flow = new Flow(context, entrancesOf(stacks, context), { name: 'events', pauseMs: { min: 0, max: Math.ceil(2 * meanPauseMs) } });
  context.progress(() => `${flow.acknowledged.size} acknowledged, readers at ${readers.map(({ cursor }) => cursor).join(' ')}`);
  const sending = flow.begin();
  await sleep(BESIDE_MS);
  const open = await leaveOpen(DATABASE_URL, database, readers, context);
  await sleep(BESIDE_MS);
  while (flow.acknowledged.size < count) await sleep(50);
  flow.end();
  await sending;
  say(`${flow.acknowledged.size} acknowledged; waiting for their delivery`);
  const delivered = await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  const last = await database.lastEvent();
  say(`${last} events; waiting for the readers`);
  await untilNoneLeft(() => readers.filter(({ cursor }) => Number(cursor) < last).length, PATIENCE_MS);
  ending.abort();
  await reading;
  const onRecord = await database.allEvents();
  return findings({ readers, onRecord, last, flow, delivered, open, settings });
}

function entrancesOf(stacks: readonly ProofStack[], { concurrency, started }: RoundContext): Entrance[] {
  return stacks.flatMap(({ description: { urls, ports, token } }) => [
    new RestEntrance(urls.gateway, token, concurrency, started),
    new GrpcEntrance(`127.0.0.1:${ports.mail_grpc}`, token, 'field', started),
  ]);
}

/** Each kind may go on at either stack. */
function readersOf(stacks: readonly ProofStack[], { random }: RoundContext): EventReader[] {
  const places = stacks.map(({ description: { urls, ports, token } }) => ({ urls, token, address: `127.0.0.1:${ports.mail_grpc}` }));
  const kinds = {
    WatchEvents: places.map(({ address, token }) => watchWay(address, token)),
    ListEvents: places.map(({ address, token }) => listWay(address, token)),
    SSE: places.map(({ urls, token }) => sseWay(urls.gateway, token)),
  };
  return Object.entries(kinds).flatMap(([kind, ways], k) =>
    Array.from({ length: READERS_OF_A_KIND }, (_, n) => new EventReader(kind, ways, random.branch(1_000_000 + 100 * k + n))),
  );
}

/** The minute in the middle, with times as Date.now has them. */
interface Open {
  from: number;
  until: number;
  /** Events that were committed meanwhile. */
  events: number;
  /** Readers that had not seen what was committed `BEHIND_MS` before its end. */
  behind: number;
}

async function leaveOpen(
  url: string | undefined,
  database: ProofDatabase,
  readers: readonly EventReader[],
  { started, say }: RoundContext,
): Promise<Open> {
  const transactions = await OpenTransactions.begin(url, started);
  const [from, before] = [Date.now(), await database.lastEvent()];
  say('two transactions are open');
  await sleep(OPEN_MS - BEHIND_MS);
  const last = await database.lastEvent();
  await sleep(BEHIND_MS);
  const behind = readers.filter(({ cursor }) => Number(cursor) < last).length;
  const open = { from, until: Date.now(), events: (await database.lastEvent()) - before, behind };
  await transactions.commit();
  say(`they are committed; ${open.events} events meanwhile`);
  return open;
}

interface Outcome {
  readers: readonly EventReader[];
  onRecord: readonly SeenEvent[];
  last: number;
  flow: Flow;
  delivered: boolean;
  open: Open;
  settings: Findings['settings'];
}

function findings({ readers, onRecord, last, flow, delivered, open, settings }: Outcome): Findings {
  const found = readers.map((reader) => ({ reader, ...differences(reader.seen, onRecord) }));
  const sum = (of: keyof Differences): number => found.reduce((total, each) => total + each[of], 0);
  const dense = onRecord.length === last && onRecord.every(({ cursor }, i) => cursor === String(i + 1));
  const queued = new Set(onRecord.filter(({ type }) => type === 'email.queued').map(({ messageId }) => messageId));
  const untold = [...flow.acknowledged.keys()].filter((id) => !queued.has(id)).length;
  const cuts = readers.reduce((total, reader) => total + reader.cuts, 0);
  const isOpen = ([at]: [number, number]): boolean => at >= open.from && at < open.until;
  const delays = readers.filter(({ kind }) => kind !== 'ListEvents').flatMap((reader) => reader.delays);
  const during = quantiles(delays.filter(isOpen).map(([, ms]) => ms));
  const beside = quantiles(delays.filter((delay) => !isOpen(delay)).map(([, ms]) => ms));
  return {
    settings,
    figures: [
      ['acknowledged', flow.acknowledged.size],
      ['events', last],
      ['connections of readers that were cut', cuts],
      ['ends of connections that were not cuts', tally(readers.flatMap(({ ends }) => ends))],
      ['events written while the transactions were open', open.events],
      ['event to a stream’s reader, transactions open, ms', `p50 ${during.p50}, p99 ${during.p99}`],
      ['event to a stream’s reader, otherwise, ms', `p50 ${beside.p50}, p99 ${beside.p99}`],
      ['answers that were no acknowledgement', tally(flow.refusals)],
    ],
    tables: [
      {
        title: 'Readers',
        columns: ['reader', 'cuts', 'events seen', 'missing', 'repeated', 'out of order', 'differing'],
        rows: found.map(({ reader, missing, repeated, disordered, differing }) => {
          return [reader.kind, reader.cuts, reader.seen.length, missing, repeated, disordered, differing];
        }),
      },
    ],
    invariants: [
      { holds: dense, text: `the table has 1 to ${last} without gaps (rows: ${onRecord.length})` },
      {
        holds: untold === 0 && queued.size === flow.acknowledged.size,
        text: `one event email.queued for each acknowledged id (without: ${untold})`,
      },
      { holds: delivered, text: 'all was delivered' },
      { holds: sum('missing') === 0, text: `every reader saw every event (missing: ${sum('missing')})` },
      { holds: sum('repeated') === 0, text: `none twice (repeated: ${sum('repeated')})` },
      { holds: sum('disordered') === 0, text: `in order (out of order: ${sum('disordered')})` },
      { holds: sum('differing') === 0, text: `as it is on record, field by field (differing: ${sum('differing')})` },
      { holds: readers.every((reader) => reader.cuts > 0), text: `every reader was cut (all in all ${cuts} times)` },
      {
        holds: open.behind === 0 && open.events > 0,
        text: `transactions left open for ${OPEN_MS / 1000} s held no reader back by ${BEHIND_MS / 1000} s (held back: ${open.behind} of ${readers.length})`,
      },
    ],
    notes: [
      'A reader keeps its cursor only; what comes after a cut is thrown away, half an SSE frame too.',
      'The time from event to reader is from `occurred_at`, which is set before the commit, and has the reader’s time away from the wire in it (up to 500 ms after each cut).',
      'Sends are spread so that they last from before the transactions to after them.',
    ],
  };
}
