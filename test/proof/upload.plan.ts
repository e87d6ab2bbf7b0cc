import type { SeededRandom } from './seeded-random';
import { type WayName, wayNames } from './upload.way';

const MEBIBYTE = 2 ** 20;
const SIZE = { min: MEBIBYTE, max: 64 * MEBIBYTE };
/** Multiples of the checkpoints of the stores: 32 MiB in a folder, 8 MiB in S3. */
const EVEN_SIZES = [8, 16, 32, 64].map((mebibytes) => mebibytes * MEBIBYTE);
const RATES = [8, 16, 64].map((mebibytes) => mebibytes * MEBIBYTE);
const PIECES = [1, 5, 8, 64].map((mebibytes) => mebibytes * MEBIBYTE);
const ABANDONED_SIZE = { min: 16 * MEBIBYTE, max: SIZE.max };
const JITTER_MS = 60;
const AGAIN_AFTER_MS = 4000;

const EVEN = 0.3;
const TWIN = 0.12;
const ABANDONED = 0.15;
const ANNOUNCED = 0.75;
/** Kills that meet the moment in which all is sent and nothing answered. */
const AT_THE_END = 0.3;
/** Kills that are followed by another while the upload finds its way back. */
const AGAIN = 0.3;

/** What can be killed; `client` is a process of its own, and `store` is there only with S3. */
export type VictimName = 'client' | 'gateway' | 'mail' | 'postgres' | 'store';

export interface PlannedKill {
  victim: VictimName;
  /** When so many bytes have left the client, and then some. */
  atBytes: number;
  jitterMs: number;
  again?: { victim: VictimName; afterMs: number };
}

export interface UploadPlan {
  number: number;
  way: WayName;
  size: number;
  /** The same bytes for the same number. */
  content: number;
  announced: boolean;
  bytesPerSecond: number;
  pieceBytes: number;
  /** By `atBytes`. */
  kills: readonly PlannedKill[];
  /** Its client is killed half way, and nobody goes on. */
  abandoned: boolean;
}

/** The same for the same seed. */
export function planUploads(count: number, random: SeededRandom, hasStore: boolean): UploadPlan[] {
  const plans: UploadPlan[] = [];
  const ways: WayName[] = [];
  for (let number = 0; number < count; number++) {
    const chance = random.branch(number);
    // Each once before any comes again.
    if (ways.length === 0) ways.push(...wayNames);
    const [way] = ways.splice(chance.integer(0, ways.length - 1), 1);
    plans.push(plan(number, way!, chance, hasStore, plans));
  }
  return plans;
}

function plan(number: number, way: WayName, random: SeededRandom, hasStore: boolean, before: readonly UploadPlan[]): UploadPlan {
  const common = { number, way, announced: random.next() < ANNOUNCED, pieceBytes: random.pick(PIECES) };
  if (random.next() < ABANDONED) {
    const size = random.integer(ABANDONED_SIZE.min, ABANDONED_SIZE.max);
    const kill = { victim: 'client', atBytes: Math.floor(size * random.next() * 0.5), jitterMs: 0 } as const;
    return { ...common, size, content: number, bytesPerSecond: RATES[0]!, kills: [kill], abandoned: true };
  }
  const twin = random.next() < TWIN && before.length > 0 ? random.pick(before) : undefined;
  const size = twin?.size ?? (random.next() < EVEN ? random.pick(EVEN_SIZES) : random.integer(SIZE.min, SIZE.max));
  const victims = victimsOf(way, hasStore);
  const kills = Array.from({ length: random.integer(1, 3) }, () => plannedKill(random, size, victims));
  return {
    ...common,
    size,
    content: twin?.content ?? number,
    bytesPerSecond: random.pick(RATES),
    kills: kills.toSorted((a, b) => a.atBytes - b.atBytes),
    abandoned: false,
  };
}

const victimsOf = (way: WayName, hasStore: boolean): VictimName[] => [
  'client',
  'mail',
  'postgres',
  ...(way.startsWith('gRPC') ? [] : (['gateway'] as const)),
  ...(hasStore ? (['store'] as const) : []),
];

function plannedKill(random: SeededRandom, size: number, victims: readonly VictimName[]): PlannedKill {
  return {
    victim: random.pick(victims),
    atBytes: random.next() < AT_THE_END ? size : random.integer(0, size),
    jitterMs: random.integer(0, JITTER_MS),
    ...(random.next() < AGAIN && { again: { victim: random.pick(victims), afterMs: random.integer(0, AGAIN_AFTER_MS) } }),
  };
}
