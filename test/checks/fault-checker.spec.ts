import { check, type Seen } from '../faults/checker';
import type { RelayNote } from '../faults/relay-journal';

const ID = 'msg_01890a5d-ac96-774b-bcce-b302099a8057';
const ADDRESS = 'a@example.com';

interface Planted {
  onUncertain?: 'hold' | 'resend';
  state: string;
  /** The recipient's events, by the state that they tell. */
  events: string[];
  kept?: number;
  refused?: boolean;
}

/** One mail to one recipient, as it would be seen. */
function seen({ onUncertain = 'resend', state, events, kept = 0, refused = false }: Planted): Seen {
  const note = { at: 0, id: ID, to: [ADDRESS] };
  const notes: RelayNote[] = Array.from({ length: kept }, () => ({ what: 'kept', messageId: ID, ...note }));
  const changes = events.map((status) => ({ type: `email.${status}`, recipient: ADDRESS, status }));
  return {
    told: new Map([[ID, { to: [ADDRESS], onUncertain }]]),
    notes: refused ? [...notes, { what: 'refused', ...note }] : notes,
    states: new Map([[ID, new Map([[ADDRESS, state]])]]),
    changes: new Map([[ID, [{ type: 'email.queued', recipient: '', status: 'queued' }, ...changes]]]),
  };
}

const fallen = (of: Seen): string[] =>
  check(of)
    .filter(({ holds }) => !holds)
    .map(({ text }) => text.replace(/ \((of|others).*/, ''));

test.each<[string, Planted]>([
  ['sent once', { state: 'sent', events: ['sent'], kept: 1 }],
  ['put off, then sent', { state: 'sent', events: ['deferred', 'deferred', 'sent'], kept: 1 }],
  ['refused', { state: 'bounced', events: ['bounced'], refused: true }],
  ['in doubt, sent again', { state: 'sent', events: ['uncertain', 'sent'], kept: 2 }],
  ['in doubt and not kept, sent again', { state: 'sent', events: ['uncertain', 'sent'], kept: 1 }],
  ['in doubt and kept, refused when sent again', { state: 'bounced', events: ['uncertain', 'bounced'], kept: 1, refused: true }],
  ['held and kept', { onUncertain: 'hold', state: 'uncertain', events: ['uncertain'], kept: 1 }],
  ['held and not kept', { onUncertain: 'hold', state: 'uncertain', events: ['uncertain'] }],
])('%s: everything holds', (_, planted) => {
  expect(fallen(seen(planted))).toEqual([]);
});

const NEVER_LOST = 'resend: what the relay never kept was refused by it, and is `bounced`';
const NO_LIE = 'what is `sent` was kept by the relay';
const HELD = 'hold: what was not kept is `uncertain`, or was refused and is `bounced`';
const TOLD_ALIKE = 'the last event of every recipient says the state that GET says';

test.each<[string, Planted, string[]]>([
  ['lost, and said to be sent', { state: 'sent', events: ['sent'] }, [NO_LIE, NEVER_LOST]],
  ['lost with hold', { onUncertain: 'hold', state: 'sent', events: ['sent'] }, [NO_LIE, HELD]],
  ['still queued', { state: 'queued', events: ['queued'] }, ['every recipient came to an end, or to a doubt', NEVER_LOST]],
  ['kept twice without a doubt', { state: 'sent', events: ['sent'], kept: 2 }, ['kept more than once only what was `uncertain` before']],
  ['kept twice with hold', { onUncertain: 'hold', state: 'uncertain', events: ['uncertain'], kept: 2 }, ['hold: nothing was kept twice']],
  ['held with resend', { state: 'uncertain', events: ['uncertain'], kept: 1 }, ['resend: nothing stays `uncertain`']],
  [
    'bounced, and not refused',
    { state: 'bounced', events: ['bounced'], kept: 1 },
    ['`bounced` only what the relay refused, and did not keep unless it was `uncertain` before'],
  ],
  ['events that say something else', { state: 'sent', events: ['deferred'], kept: 1 }, [TOLD_ALIKE]],
  [
    'an event after the end',
    { state: 'deferred', events: ['sent', 'deferred'], kept: 1 },
    ['every recipient came to an end, or to a doubt', 'no event follows a final state'],
  ],
])('%s: it is found', (_, planted, expected) => {
  expect(fallen(seen(planted))).toEqual(expected);
});

test('a mail that nobody was told of is found, and one under another name', () => {
  const of = seen({ state: 'sent', events: ['sent'], kept: 1 });
  const stranger: RelayNote = { what: 'kept', at: 0, id: 'msg_other', messageId: 'renamed', to: [ADDRESS] };
  expect(fallen({ ...of, notes: [...of.notes, stranger] })).toEqual([
    'the relay kept nothing that no client was told of',
    'Message-ID and ENVID of what the relay kept are the message_id',
  ]);
});

test('a mail that was accepted twice is found', () => {
  const of = seen({ state: 'sent', events: ['sent'], kept: 1 });
  const accepted = { type: 'email.queued', recipient: '', status: 'queued' };
  expect(fallen({ ...of, changes: new Map([[ID, [accepted, ...(of.changes.get(ID) ?? [])]]]) })).toEqual([
    'every mail has one email.queued, and it is its first event',
  ]);
});
