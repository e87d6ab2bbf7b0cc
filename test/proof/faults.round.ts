import { check, figuresOf, type Seen } from '#faults/checker';
import { FaultInjector, type Injected } from '#faults/fault-injector';
import { readNotes, type RelayNote } from '#faults/relay-journal';
import { eachOf } from './each-of';
import { EventHistory } from './event-history';
import { FaultySystem } from './faulty-system';
import { Flow } from './flow';
import { GrpcEntrance } from './grpc.entrance';
import { untilNoneLeft } from './moving';
import { newMail, type NewMail } from './new-mail';
import { ProofDatabase } from './proof.database';
import { QueueDepth } from './queue-depth';
import { RestEntrance } from './rest.entrance';
import type { Findings, Round, RoundContext } from './round';
import { tally } from './tally';

const MINUTE_MS = 60_000;
/** A lease lasts 15 s: a silence this long is no waiting for one. */
const PATIENCE_MS = 60_000;
/** Who waits longer for one that was stopped, or for a hole, would be the only load there is. */
const ANSWER_MS = 3000;
const PAGE_SIZE = 1000;
const ASK_AT_ONCE = 32;

export const faults: Round = {
  title: 'every fault at once, by seed, and what was told checked from the outside',
  does:
    'Two mail processes (mail, which the gateway calls, and worker), a gateway, PostgreSQL and a relay, with a TCP proxy between every two of them and before the callers. Senders on both wires give each mail (one to ' +
    'three recipients, half of them with on_uncertain=hold, half with resend) an idempotency key and ask again until it is acknowledged. For the minutes given, faults come by ' +
    'chance, at most three at a time: SIGKILL and SIGSTOP of every process, longer than a lease among them; SIGKILL of one of PostgreSQL’s own processes; its disk full; ' +
    'connections cut, half-closed, delayed, refused, or swallowed without a word, between every two. Meanwhile the relay closes, is silent, greylists, refuses some recipients, ' +
    'breaks off before or after the final dot (having kept the mail or not), answers rubbish, fails STARTTLS. Then all of that ends, and when nothing is queued any more, what clients ' +
    'were told is compared with what the relay kept and with what GET and the events say.',
  count: { of: 'mails a second, about', default: 50, max: 1000 },
  concurrency: { of: 'senders', default: 50, max: 512 },
  minutesBeside: 10,
  run,
};

async function run(context: RoundContext): Promise<Findings> {
  const { started, say, random, minutes } = context;
  const system = await FaultySystem.start(context);
  const flow = flowInto(system, context);
  const queue = new QueueDepth(system.databaseUrl, started);
  const injector = new FaultInjector(system.faults(), random.branch(-5));
  context.progress(
    () => `${injector.injected.length} faults, ${flow.acknowledged.size} acknowledged, ${queue.perSecond.at(-1) ?? '?'} queued`,
  );

  const beganAt = Date.now();
  const sending = flow.begin();
  await injector.during(minutes * MINUTE_MS);
  system.calm();
  const faultsEndedAt = Date.now();
  say('the faults are over; waiting until all is acknowledged and nothing is queued');
  flow.end();
  await sending;
  const database = await ProofDatabase.connect(system.databaseUrl, started);
  const drained = await untilNoneLeft(() => database.jobs(), PATIENCE_MS);
  const endedAt = Date.now();
  say('reading what is told');
  const rest = new RestEntrance(system.gatewayUrl, system.token, ASK_AT_ONCE, started);
  const history = await EventHistory.read((after) => rest.events(after, PAGE_SIZE));
  const seen = await seenOf(flow, context, rest, history, readNotes(system.relayJournal));
  const emails = await database.emails();
  const perSecond = secondsOf(beganAt, endedAt);
  return {
    settings: [
      ...(await database.settings()),
      ['full disk', system.disk ? 'made: PostgreSQL is on a file system of its own' : 'NOT made: it needs root and mount'],
    ],
    figures: [
      ['faults injected', injector.injected.length],
      ['processes started again', system.restarts],
      ...figuresOf(seen),
      ['answers that were no acknowledgement', tally(flow.refusals)],
      ['the relay misbehaved', tally(seen.notes.flatMap((note) => (note.what === 'did' ? [note.behaviour] : [])))],
    ],
    tables: [faultTable(injector.injected)],
    invariants: [
      ...check(seen),
      {
        holds: flow.ambiguous === 0 && emails === flow.acknowledged.size,
        text: `one id a key (${emails} mails for ${flow.acknowledged.size} keys)`,
      },
      { holds: history.gaps === 0, text: `the events’ cursors are 1, 2, 3 without a gap (${history.last} events, gaps: ${history.gaps})` },
      { holds: drained, text: 'in the end nothing was queued' },
      { holds: history.uncertain > 0, text: `the faults met mails between the dot and the record (uncertain: ${history.uncertain})` },
    ],
    notes: [
      'Told: what a client got as an answer, by a connection that faults met too. Kept: what the relay noted in a file before it answered, and whether it answered or not. ' +
        'States and events are read by REST when the faults are over, not through a proxy.',
      'The seed decides which faults come, when, and what the relay does with its nth mail; the order in which mails meet them is the machine’s.',
      'Each mail and recipient is a course of its own in the counts.',
    ],
    timeline: {
      beganAt,
      faultsEndedAt,
      endedAt,
      targets: [...new Set(system.faults().map(({ target }) => target))],
      injected: injector.injected,
      charts: [
        {
          title: 'per second',
          curves: [
            { name: 'accepted', colour: '#1565c0', perSecond: perSecond(flow.acknowledgedAt) },
            { name: 'kept by the relay', colour: '#2e7d32', perSecond: perSecond(keptAt(seen.notes)) },
          ],
        },
        {
          title: 'queued mails',
          curves: [{ name: 'queued', colour: '#6d4c41', perSecond: queue.perSecond.slice(0, Math.ceil((endedAt - beganAt) / 1000)) }],
        },
        { title: 'uncertain, per second', curves: [{ name: 'events', colour: '#c62828', perSecond: perSecond(history.uncertainAt) }] },
      ],
    },
  };
}

function flowInto({ entrances, token }: FaultySystem, context: RoundContext): Flow {
  const { started, concurrency, count } = context;
  const rest = new RestEntrance(entrances.rest, token, concurrency, started, ANSWER_MS);
  const grpc = entrances.grpc.map((address) => new GrpcEntrance(address, token, 'field', started, ANSWER_MS));
  const restMs = Math.ceil((concurrency / count) * 1000);
  return new Flow(context, [rest, rest, ...grpc], {
    name: 'faults',
    pauseMs: { min: Math.ceil(restMs / 2), max: Math.ceil(restMs * 1.5) },
    mail: (number) => mailOf(number, context),
  });
}

function mailOf(number: number, { random }: RoundContext): NewMail {
  const recipients = (number % 3) + 1;
  const to = Array.from({ length: recipients }, (_, i) => `recipient-${number}-${i}@${'abcdefgh'[(number + i) % 8]}.example.org`);
  return { ...newMail(random, number), to, on_uncertain: number % 2 === 0 ? 'hold' : 'resend' };
}

async function seenOf(flow: Flow, context: RoundContext, rest: RestEntrance, history: EventHistory, notes: RelayNote[]): Promise<Seen> {
  const states = new Map<string, ReadonlyMap<string, string>>();
  await eachOf(flow.acknowledged.keys(), ASK_AT_ONCE, async (id) => {
    const { recipients } = await rest.read(id);
    states.set(id, new Map(recipients.map(({ address, status }) => [address, status])));
  });
  const told = [...flow.acknowledged].map(([id, key]) => {
    const { to, on_uncertain: onUncertain = 'resend' } = mailOf(Number(key.slice(key.indexOf('-') + 1)), context);
    return [id, { to, onUncertain }] as const;
  });
  return { told: new Map(told), notes, states, changes: new Map([...states.keys()].map((id) => [id, history.changes(id)])) };
}

/** Counts what happened in each second from the beginning to the end. */
const secondsOf = (beganAt: number, endedAt: number) => (times: readonly number[]) => {
  const counts = new Array<number>(Math.ceil((endedAt - beganAt) / 1000)).fill(0);
  for (const at of times) {
    const second = Math.floor((at - beganAt) / 1000);
    if (second >= 0 && second < counts.length) counts[second] = (counts[second] ?? 0) + 1;
  }
  return counts;
};

const keptAt = (notes: readonly RelayNote[]): number[] => notes.flatMap((note) => (note.what === 'kept' ? [note.at] : []));

function faultTable(injected: readonly Injected[]): NonNullable<Findings['tables']>[number] {
  const rows = [...Map.groupBy(injected, ({ target }) => target)].map(([target, of]) => [
    target,
    of.length,
    tally(of.map(({ name }) => name)),
  ]);
  return { title: 'Faults', columns: ['of, or between', 'faults', 'which'], rows };
}
