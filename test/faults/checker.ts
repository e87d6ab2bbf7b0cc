import type { RelayNote } from './relay-journal';

/** What a client was told to have been accepted, as it was asked for. */
export interface ToldMail {
  to: readonly string[];
  onUncertain: 'hold' | 'resend';
}

/** A change of state, as the events tell it. */
export interface RecipientChange {
  type: string;
  /** Empty: of the whole mail. */
  recipient: string;
  status: string;
}

/** Everything that can be seen from the outside once the faults are over and nothing is queued any more, by message id. */
export interface Seen {
  told: ReadonlyMap<string, ToldMail>;
  notes: readonly RelayNote[];
  /** By address: what GET says. */
  states: ReadonlyMap<string, ReadonlyMap<string, string>>;
  changes: ReadonlyMap<string, readonly RecipientChange[]>;
}

export interface Invariant {
  holds: boolean;
  text: string;
}

/** A state from which nothing leads anywhere. */
const FINAL = new Set(['sent', 'bounced', 'failed', 'expired', 'canceled']);
const EXAMPLES = 3;

/** One mail to one recipient, from every side. */
interface Course {
  id: string;
  address: string;
  onUncertain: ToldMail['onUncertain'];
  /** How often the relay kept it. */
  kept: number;
  /** Whether the relay refused it for good, at least once. */
  refused: boolean;
  state: string | undefined;
  changes: readonly RecipientChange[];
  doubted: boolean;
}

/** What has to hold of what was told, what the relay got, and what events and GET say. */
export function check(seen: Seen): Invariant[] {
  const courses = coursesOf(seen);
  const of = (policy: ToldMail['onUncertain']): Course[] => courses.filter(({ onUncertain }) => onUncertain === policy);
  const strangers = new Set(seen.notes.flatMap((note) => (note.what === 'kept' && !seen.told.has(note.id) ? [note.id] : [])));
  const renamed = seen.notes.filter((note) => note.what === 'kept' && note.messageId !== note.id).length;
  return [
    none('every recipient came to an end, or to a doubt', courses, ({ state }) => !FINAL.has(state ?? '') && state !== 'uncertain'),
    none('what is `sent` was kept by the relay', courses, ({ state, kept }) => state === 'sent' && kept === 0),
    none(
      'resend: what the relay never kept was refused by it, and is `bounced`',
      of('resend'),
      ({ kept, refused, state }) => kept === 0 && !(refused && state === 'bounced'),
    ),
    none('kept more than once only what was `uncertain` before', courses, ({ kept, doubted }) => kept > 1 && !doubted),
    none('hold: nothing was kept twice', of('hold'), ({ kept }) => kept > 1),
    none(
      'hold: what was not kept is `uncertain`, or was refused and is `bounced`',
      of('hold'),
      ({ kept, refused, state }) => kept === 0 && state !== 'uncertain' && !(refused && state === 'bounced'),
    ),
    none('resend: nothing stays `uncertain`', of('resend'), ({ state }) => state === 'uncertain'),
    none(
      '`bounced` only what the relay refused, and did not keep unless it was `uncertain` before',
      courses,
      ({ state, refused, kept, doubted }) => state === 'bounced' && (!refused || (kept > 0 && !doubted)),
    ),
    none(
      'the last event of every recipient says the state that GET says',
      courses,
      ({ changes, state }) => changes.at(-1)?.status !== state,
    ),
    none('no event follows a final state', courses, ({ changes }) => changes.slice(0, -1).some(({ status }) => FINAL.has(status))),
    none(
      'every mail has one email.queued, and it is its first event',
      [...seen.told.keys()].map((id) => ({ id })),
      ({ id }) => {
        const changes = seen.changes.get(id) ?? [];
        return (
          changes[0]?.type !== 'email.queued' ||
          changes.filter(({ type, recipient }) => type === 'email.queued' && recipient === '').length > 1
        );
      },
    ),
    { holds: strangers.size === 0, text: `the relay kept nothing that no client was told of (others: ${strangers.size})` },
    { holds: renamed === 0, text: `Message-ID and ENVID of what the relay kept are the message_id (others: ${renamed})` },
  ];
}

/** What the faults met, for the report: an invariant of something that never happened says nothing. */
export function figuresOf(seen: Seen): [string, string | number][] {
  const courses = coursesOf(seen);
  const count = (is: (course: Course) => boolean): number => courses.filter(is).length;
  return [
    ['mails told to be accepted', seen.told.size],
    ['recipients of these', courses.length],
    ['kept by the relay', count(({ kept }) => kept > 0)],
    ['kept more than once', count(({ kept }) => kept > 1)],
    ['uncertain at any time', count(({ doubted }) => doubted)],
    [
      'hold: uncertain in the end, not kept / kept',
      (['0', '1'] as const).map((n) => count(({ state, kept }) => state === 'uncertain' && kept === Number(n))).join(' / '),
    ],
    ['bounced', count(({ state }) => state === 'bounced')],
  ];
}

function coursesOf({ told, notes, states, changes }: Seen): Course[] {
  const kept = new Map<string, number>();
  const refused = new Set<string>();
  for (const note of notes) {
    if (note.what === 'did') continue;
    for (const address of note.to) {
      const key = `${note.id} ${address}`;
      if (note.what === 'kept') kept.set(key, (kept.get(key) ?? 0) + 1);
      else refused.add(key);
    }
  }
  return [...told].flatMap(([id, { to, onUncertain }]) =>
    to.map((address) => {
      const own = (changes.get(id) ?? []).filter(({ recipient }) => recipient === address);
      return {
        id,
        address,
        onUncertain,
        kept: kept.get(`${id} ${address}`) ?? 0,
        refused: refused.has(`${id} ${address}`),
        state: states.get(id)?.get(address),
        changes: own,
        doubted: own.some(({ type }) => type === 'email.uncertain'),
      };
    }),
  );
}

function none<Item extends { id: string }>(text: string, of: readonly Item[], isWrong: (item: Item) => boolean): Invariant {
  const wrong = of.filter(isWrong);
  const such = [...new Set(wrong.map(({ id }) => id))].slice(0, EXAMPLES);
  return {
    holds: wrong.length === 0,
    text: `${text} (of ${of.length}, others: ${wrong.length}${such.length > 0 ? `, such as ${such.join(' ')}` : ''})`,
  };
}
