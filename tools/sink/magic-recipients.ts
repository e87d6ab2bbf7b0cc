export interface Reply {
  /** With its enhanced code, or 421, which ends the connection too. */
  code: string | 421;
  text: string;
}

type Effect =
  /** RCPT TO is answered so: this recipient alone is concerned. */
  | { at: 'RCPT TO'; reply: Reply }
  /** The connection ends in place of a reply to DATA. */
  | { at: 'DATA' }
  /** All of the mail is read, and kept or not; then it is answered: late, wrongly or not at all. */
  | { at: 'final dot'; keeps: boolean; answer: 'taken' | 'garbage' | 'nothing' | Reply };

/** A local part that the sink does not treat as any other. */
export type MagicRecipient = Effect & {
  name: string;
  /** How often it is done to one mail, which is then taken as any other. */
  times: number;
  /** Before the reply. */
  waitSeconds?: number;
  /** What the sink does, in words for docs/sandbox.md. */
  does: string;
  /** The states that a mail to it alone goes through after `queued`, and the reason of the first. */
  states: readonly string[];
  reason: string;
};

const ALWAYS = Infinity;
const MOST_IN_TAG = 120;

/** Each after those that are less drastic: of what the recipients of a mail bring upon all of it, the last one is done. */
export const magicRecipients: readonly MagicRecipient[] = [
  {
    name: 'bounced',
    at: 'RCPT TO',
    reply: { code: '550 5.1.1', text: 'No such mailbox' },
    times: ALWAYS,
    does: 'refuses the recipient: 550 5.1.1',
    states: ['bounced'],
    reason: 'RELAY_REFUSED',
  },
  {
    name: 'full',
    at: 'RCPT TO',
    reply: { code: '552 5.2.2', text: 'The mailbox is full' },
    times: ALWAYS,
    does: 'refuses the recipient, whose mailbox is full: 552 5.2.2',
    states: ['bounced'],
    reason: 'RELAY_REFUSED',
  },
  {
    name: 'deferred',
    at: 'RCPT TO',
    reply: { code: '451 4.7.1', text: 'Come back later' },
    times: ALWAYS,
    does: 'puts the recipient off: 451 4.7.1',
    states: ['deferred'],
    reason: 'RELAY_DEFERRED',
  },
  {
    name: 'greylisted',
    at: 'RCPT TO',
    reply: { code: '451 4.7.1', text: 'Greylisted' },
    times: 1,
    does: 'puts the recipient off once (451 4.7.1), and takes the mail at the next try',
    states: ['deferred', 'sent'],
    reason: 'RELAY_DEFERRED',
  },
  {
    name: 'busy',
    at: 'RCPT TO',
    reply: { code: 421, text: 'Too busy' },
    times: ALWAYS,
    does: 'answers the recipient with 421, and ends the connection',
    states: ['deferred'],
    reason: 'RELAY_DEFERRED',
  },
  {
    name: 'slow',
    at: 'final dot',
    keeps: true,
    answer: 'taken',
    times: ALWAYS,
    waitSeconds: 10,
    does: 'takes the mail, and says so 10 s later; `slow+30@`: 30 s',
    states: ['sending', 'sent'],
    reason: '',
  },
  {
    name: 'rejected',
    at: 'final dot',
    keeps: false,
    answer: { code: '554 5.7.1', text: 'The content is refused' },
    times: ALWAYS,
    does: 'refuses the mail after all of it: 554 5.7.1',
    states: ['bounced'],
    reason: 'RELAY_REFUSED',
  },
  {
    name: 'malformed',
    at: 'final dot',
    keeps: false,
    answer: 'garbage',
    times: ALWAYS,
    does: 'answers the mail with a line that is no SMTP reply, and ends the connection; the mail is not kept',
    states: ['uncertain'],
    reason: 'NO_REPLY_AFTER_DATA',
  },
  {
    name: 'keep-and-drop',
    at: 'final dot',
    keeps: true,
    answer: 'nothing',
    times: ALWAYS,
    does: 'keeps the mail, and cuts the connection without a reply',
    states: ['uncertain'],
    reason: 'NO_REPLY_AFTER_DATA',
  },
  {
    name: 'drop-after-dot',
    at: 'final dot',
    keeps: false,
    answer: 'nothing',
    times: ALWAYS,
    does: 'reads all of the mail, and cuts the connection without a reply; the mail is not kept',
    states: ['uncertain'],
    reason: 'NO_REPLY_AFTER_DATA',
  },
  {
    name: 'drop-before-data',
    at: 'DATA',
    times: ALWAYS,
    does: 'cuts the connection at DATA, before any of the mail',
    states: ['deferred'],
    reason: 'RELAY_UNREACHABLE',
  },
];

/**
 * What is done to this recipient, of whatever domain: `slow@`, `Slow+anything@`. A number in the tag, within 1 and 120, is
 * the seconds of one that waits, and for any other how often it is done.
 */
export function magicOf(address: string): MagicRecipient | undefined {
  const [, local = '', number] = /^([^+@]*)(?:\+(?:(\d+)|[^@]*))?@/.exec(address) ?? [];
  const magic = magicRecipients.find(({ name }) => name === local.toLowerCase());
  if (!magic || number === undefined) return magic;
  const bounded = Math.min(Math.max(Number(number), 1), MOST_IN_TAG);
  return magic.waitSeconds === undefined ? { ...magic, times: bounded } : { ...magic, waitSeconds: bounded };
}

/** The one of these that is done to the mail. */
export function mostDrastic<M extends MagicRecipient>(magic: readonly M[]): M | undefined {
  return magicRecipients.map(({ name }) => magic.find((one) => one.name === name)).findLast((one) => one !== undefined);
}
