import type { SeededRandom } from './seeded-random';

/** What the chaos relay does to a connection. */
export type ConnectionBehaviour = 'serve' | 'close' | '421-greeting' | 'silent-greeting' | 'starttls-fails';

/** What it does to a mail. */
export type MailBehaviour =
  | 'take'
  | 'slow'
  | 'greylist'
  | 'mixed-recipients'
  | 'reset-in-data'
  | 'drop-after-dot-kept'
  | 'drop-after-dot-lost'
  | 'silent-after-dot-kept'
  | 'silent-after-dot-lost'
  | 'malformed-reply-kept'
  | 'malformed-reply-lost'
  | '421-after-dot'
  | '451-after-dot'
  | '554-after-dot';

const CONNECTIONS: Record<ConnectionBehaviour, number> = {
  serve: 40,
  close: 2,
  '421-greeting': 2,
  'silent-greeting': 1,
  'starttls-fails': 2,
};

const MAILS: Record<MailBehaviour, number> = {
  take: 300,
  slow: 8,
  greylist: 8,
  'mixed-recipients': 12,
  'reset-in-data': 5,
  'drop-after-dot-kept': 5,
  'drop-after-dot-lost': 5,
  'silent-after-dot-kept': 1,
  'silent-after-dot-lost': 1,
  'malformed-reply-kept': 3,
  'malformed-reply-lost': 3,
  '421-after-dot': 3,
  '451-after-dot': 5,
  '554-after-dot': 3,
};

export const connectionBehaviour = (random: SeededRandom): ConnectionBehaviour => weighted(CONNECTIONS, random);
export const mailBehaviour = (random: SeededRandom): MailBehaviour => weighted(MAILS, random);

/** One of the names, each as often as its weight says. */
export function weighted<Name extends string>(weights: Readonly<Record<Name, number>>, random: SeededRandom): Name {
  const names = Object.entries<number>(weights);
  let left = random.next() * names.reduce((sum, [, weight]) => sum + weight, 0);
  const [name] = names.find(([, weight]) => (left -= weight) < 0) ?? names[0] ?? [];
  return name as Name;
}
