import { alignedTable } from './aligned-table';
import { eachOf } from './each-of';
import { type EdgeRun, MAILS_OF_A_RUN, messageIdOf, runOnce, type Seen, subjectOf } from './edge.run';
import { InboxWatch } from './inbox.watch';
import { untilNoneLeft } from './moving';
import { ProofDatabase } from './proof.database';
import { ProofStack } from './proof-stack';
import { BrokenOffError, type Cell, type Findings, type Invariant, type Round, type RoundContext } from './round';

const PATIENCE_MS = 60_000;
const COLUMNS = ['request', 'client (ALPN)', 'edge (its log)', 'status', 'grpc-status', 'early data'];
const PROVED =
  'REST and gRPC over HTTP/3, as both ends saw it, with grpc-status 0 in the trailers; early data was answered, or refused and then sent once';

export const edge: Round = {
  title: 'REST and gRPC over HTTP/3, and 0-RTT that changes nothing',
  does:
    'Starts everything with an edge on a free port and calls it over HTTP/3, by the client of the tests (QUIC by quiche): REST, gRPC, and both a GET and a mail in the ' +
    'early data of resumed connections. Each request is looked up in the edge’s log by its id, so that both ends say what it came over.',
  count: { of: 'runs', default: 1, max: 1000 },
  concurrency: { of: 'runs at a time', default: 1, max: 16 },
  run,
};

async function run({ started, settings, count, concurrency, say, progress }: RoundContext): Promise<Findings> {
  const stack = await ProofStack.start(started, { SGE_EDGE: 'on', ...settings });
  const { urls } = stack.description;
  const [why] = stack.told('No HTTP/3: ')?.split('. ') ?? ['SGE_EDGE=off'];
  if (urls.edge === undefined) throw new BrokenOffError(`Not proved, for there is no edge: ${why}`);
  say(`the edge is at ${urls.edge}`);
  const database = await ProofDatabase.connect(stack.mailEnvironment()['DATABASE_URL'], started);
  const inbox = new InboxWatch(stack.inbox, started);
  const runs: EdgeRun[] = [];
  progress(() => `${runs.length} runs, ${inbox.size} mails delivered`);
  await eachOf(Array(count).keys(), concurrency, async (number) => void (runs[number] = await runOnce(stack, number)));

  const ids = new Set(runs.flatMap(({ sent, sentAgain }) => [messageIdOf(sent.answer), messageIdOf(sentAgain.answer)]));
  await untilNoneLeft(() => inbox.missing(ids).length, PATIENCE_MS);
  const mails = { told: ids.size, kept: await database.emails(), delivered: inbox.files().size, twice: inbox.twice().length };
  const [firstRun] = runs;
  const rows = Object.values(firstRun ?? {}).map(rowOf);
  for (const line of alignedTable(COLUMNS, rows)) say(line);
  const invariants = [...invariantsOf(runs), mailsInvariant(mails, count)];
  if (invariants.every(({ holds }) => holds)) say(`proved: ${PROVED}`);
  return {
    settings: await database.settings(),
    figures: [
      ['requests', runs.length * rows.length],
      ['mails accepted', mails.told],
      ['mails delivered', mails.delivered],
    ],
    tables: [{ title: 'The requests of the first run', columns: COLUMNS, rows }],
    invariants,
    notes: [
      'What the client saw is the protocol that TLS agreed on (ALPN); `h3` is HTTP/3. Its QUIC connection is of UDP, on which nothing else is spoken.',
      'What the edge saw is `protocol`, `early_data` and `grpc_status` of its access log.',
      'Mails are counted in the database and in the inbox of the SMTP sink.',
    ],
  };
}

function rowOf({ answer, line }: Seen): Cell[] {
  const { what, protocol, status, trailers, headers } = answer;
  const { 'grpc-status': inTrailers } = trailers;
  const { 'grpc-status': inHeaders } = headers;
  const grpcStatus =
    inTrailers !== undefined ? `${String(inTrailers)} (trailers)` : inHeaders !== undefined ? `${String(inHeaders)} (headers)` : '';
  return [what, protocol, line.protocol, status, grpcStatus, line.early_data ? 'yes' : 'no'];
}

function invariantsOf(runs: readonly EdgeRun[]): Invariant[] {
  const inAll = (text: string, holds: (run: EdgeRun, number: number) => boolean): Invariant => {
    const fell = runs.filter((run, number) => !holds(run, number)).length;
    return { holds: runs.length > 0 && fell === 0, text: `${text} (${runs.length - fell} of ${runs.length} runs)` };
  };
  return [
    inAll('every request went over HTTP/3, by what the client saw (h3) and by what the edge logged (HTTP/3.0)', (run) =>
      Object.values(run).every(({ answer, line }: Seen) => answer.protocol === 'h3' && line.protocol === 'HTTP/3.0'),
    ),
    inAll(
      'REST: ready (200), a mail accepted (202) and read back (200)',
      ({ ready, sent, read }, number) => hasStatuses([ready, 200], [sent, 202], [read, 200]) && subjectIn(read) === subjectOf(number),
    ),
    inAll(
      'gRPC: health is SERVING and the mail is the one that REST sent, with grpc-status 0 in the trailers',
      ({ health, got }, number) =>
        [health, got].every(isOkInTrailers) &&
        health.answer.response?.status === 'SERVING' &&
        got.answer.response?.email?.subject === subjectOf(number),
    ),
    inAll('a GET in early data was answered from it (200)', ({ earlyRead }) => hasStatuses([earlyRead, 200]) && isEarly(earlyRead)),
    inAll(
      'a mail in early data was refused (425 TOO_EARLY)',
      ({ tooEarly }) => hasStatuses([tooEarly, 425]) && isEarly(tooEarly) && tooEarly.answer.body.includes('"TOO_EARLY"'),
    ),
    inAll(
      'and accepted when it came again after the handshake (202)',
      ({ sentAgain }) => hasStatuses([sentAgain, 202]) && !sentAgain.line.early_data,
    ),
  ];
}

/** By the client, and by the log. */
const hasStatuses = (...expected: [seen: Seen, status: number][]): boolean =>
  expected.every(([{ answer, line }, status]) => answer.status === status && line.status === status);

const isOkInTrailers = ({ answer: { headers, trailers }, line }: Seen): boolean =>
  trailers['grpc-status'] === '0' && headers['grpc-status'] === undefined && line.grpc_status === '0';

/** By the client, and by the log. */
const isEarly = ({ answer, line }: Seen): boolean => answer.earlyAccepted === true && line.early_data;

const subjectIn = ({ answer }: Seen): unknown => (JSON.parse(answer.body.toString()) as { subject?: string }).subject;

function mailsInvariant(
  { told, kept, delivered, twice }: Record<'told' | 'kept' | 'delivered' | 'twice', number>,
  runs: number,
): Invariant {
  const expected = MAILS_OF_A_RUN * runs;
  return {
    holds: [told, kept, delivered].every((mails) => mails === expected) && twice === 0,
    text: `each mail that was accepted was sent once, and no other was: ${expected} (${told} accepted, ${kept} in the database, ${delivered} delivered, ${twice} of them twice)`,
  };
}
