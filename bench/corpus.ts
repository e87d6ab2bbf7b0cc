import { SeededRandom, Zipf } from './seeded-random';

const VOCABULARY = 30_000;
const WORDS_OF_TEXT = { median: 120, sigma: 0.9, max: 5000 };
const WORDS_OF_SUBJECT = { median: 5, sigma: 0.5, max: 15 };
const ADDRESSES = 3000;
const YEAR_SECONDS = 365 * 86_400;
const FIRST_MOMENT = Date.parse('2025-11-01T00:00:00Z') / 1000;

/** Of 100 mails. */
const STATUSES = [
  ['delivered', 82],
  ['sent', 9],
  ['failed', 5],
  ['queued', 3],
  ['canceled', 1],
] as const;
const SYLLABLES =
  'ba be bi co da de di fa fe ga go ha he in ja ka ke la le li lo ma me mi na ne no or pa pe ra re ri ro sa se si so ta te ti to un va ve vi wa we za zo'.split(
    ' ',
  );
const EXTENSIONS = ['pdf', 'pdf', 'docx', 'xlsx', 'png', 'zip'];

/** The first has most of the mails: what is searched deeply needs many of one tenant. */
export const TENANTS = [
  { name: 'bench-large', percent: 70 },
  { name: 'bench-middle', percent: 15 },
  { name: 'bench-small', percent: 10 },
  { name: 'bench-tiny', percent: 5 },
] as const;
export const LARGEST_TENANT = TENANTS[0].name;

/** A mail as search keeps it. */
export interface CorpusMail {
  tenant: string;
  id: string;
  title: string;
  content: string;
  url: string;
  attributes: Record<string, string[]>;
  /** Unix seconds. */
  timestamp: number;
}

/** The words of the synthetic language, the most frequent first; `rank` is the place in it. */
export function vocabulary(): string[] {
  const random = new SeededRandom(7);
  const words = new Set<string>();
  // Frequent words are short ones, as in a language.
  while (words.size < VOCABULARY) {
    const syllables = 1 + Math.floor(Math.log10(1 + words.size)) + random.integer(0, 1);
    words.add(Array.from({ length: Math.max(1, syllables) }, () => random.pick(SYLLABLES)).join(''));
  }
  return [...words];
}

/** The same mails for the same seed, one after the other: they are never all in memory. */
export function* corpus(seed: number, count: number): Generator<CorpusMail, void, undefined> {
  const random = new SeededRandom(seed);
  const words = vocabulary();
  const wordRanks = new Zipf(VOCABULARY, 1);
  const addressRanks = new Zipf(ADDRESSES, 0.8);
  const word = () => words[wordRanks.pick(random)] ?? '';
  const text = ({ median, sigma, max }: typeof WORDS_OF_TEXT) => Array.from({ length: lengthAround(random, median, sigma, max) }, word);
  const address = () => addressOf(words, addressRanks.pick(random));
  for (let i = 0; i < count; i++) {
    const tenant = byPercent(
      random,
      TENANTS.map(({ name, percent }) => [name, percent] as const),
    );
    const content = sentences(text(WORDS_OF_TEXT), random);
    const filename =
      random.next() < 0.2 ? Array.from({ length: random.integer(1, 3) }, () => `${word()}-${word()}.${random.pick(EXTENSIONS)}`) : [];
    const cc = random.next() < 0.25 ? Array.from({ length: random.integer(1, 4) }, address) : [];
    yield {
      tenant,
      id: `mail-${i}`,
      title: capital(text(WORDS_OF_SUBJECT).join(' ')),
      content,
      url: `/api/v1/mail/mail-${i}`,
      attributes: {
        from: [address()],
        to: Array.from({ length: lengthAround(random, 1.3, 0.6, 20) }, address),
        ...(cc.length > 0 && { cc }),
        ...(filename.length > 0 && { filename }),
        status: [byPercent(random, STATUSES)],
        has_attachment: [String(filename.length > 0)],
        size: [String(Buffer.byteLength(content) + filename.length * random.integer(10_000, 2_000_000))],
        'metadata.campaign': [`campaign-${random.integer(1, 40)}`],
      },
      timestamp: FIRST_MOMENT + random.integer(0, YEAR_SECONDS),
    };
  }
}

/** `Name Surname <name.surname@domain.example>`, the same for the same rank. */
export function addressOf(words: readonly string[], rank: number): string {
  const [first, last, domain] = [words[200 + rank], words[5000 + rank], words[400 + (rank % 97)]];
  return `${capital(first ?? '')} ${capital(last ?? '')} <${first}.${last}@${domain}.example>`;
}

const lengthAround = (random: SeededRandom, median: number, sigma: number, max: number): number =>
  Math.min(Math.max(1, Math.round(random.around(median, sigma))), max);

function byPercent<T>(random: SeededRandom, shares: readonly (readonly [T, number])[]): T {
  let left = random.next() * 100;
  for (const [value, percent] of shares) {
    left -= percent;
    if (left < 0) return value;
  }
  return (shares[0] as readonly [T, number])[0];
}

/** Of 6 to 18 words each. */
function sentences(words: readonly string[], random: SeededRandom): string {
  const parts: string[] = [];
  for (let at = 0; at < words.length;) {
    const length = random.integer(6, 18);
    parts.push(`${capital(words.slice(at, at + length).join(' '))}.`);
    at += length;
  }
  return parts.join(' ');
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
