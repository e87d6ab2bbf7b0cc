import type { SeededRandom } from './seeded-random';

/** As it is posted to REST; gRPC has the same names. */
export interface NewMail {
  from: string;
  to: string[];
  subject: string;
  body: string;
  /** Left out: the server's policy. */
  on_uncertain?: 'hold' | 'resend';
  /** Not before this time, in unix seconds. */
  send_at?: number;
}

const WORDS = [
  'mail',
  'Grüße',
  'proof',
  'naïve',
  'recipient',
  '日本',
  'a',
  'of',
  'queue',
  'dot',
  '.',
  'relay',
  'ελληνικά',
  'durable',
  '“quoted”',
];

/** Text of random words, with line breaks, of about `length` characters. */
function text(random: SeededRandom, length: number): string {
  let written = '';
  while (written.length < length) written += random.pick(WORDS) + (random.next() < 0.08 ? '\r\n' : ' ');
  return written.trimEnd();
}

/** The same for the same number, and for no other: its recipient is its own. */
export function newMail(seeded: SeededRandom, number: number): NewMail {
  const random = seeded.branch(number);
  return {
    from: 'Sender <sender@example.com>',
    to: [`recipient-${number}@example.org`],
    subject: `${number} ${text(random, random.integer(5, 60)).replace(/\s+/g, ' ')}`,
    body: text(random, random.integer(50, 3000)),
  };
}
