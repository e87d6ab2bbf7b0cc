import type { TimelinePage } from '#faults/timeline-page';
import type { SeededRandom } from './seeded-random';
import type { Started } from './started';

/** Ends the round at once, wherever it is; told in its message alone. */
export class BrokenOffError extends Error {}

/** A number that the command line may set. */
export interface Bound {
  /** What it is a number of, for the report and --help. */
  of: string;
  default: number;
  max: number;
}

/** One way to prove the running product. To add one: a module that exports it, and its name in main.ts. */
export interface Round {
  title: string;
  /** What is done and what must hold, for the report. */
  does: string;
  count: Bound;
  concurrency: Bound;
  /** Where --minutes is how long the round works, and not only its limit: what it may take beside these. */
  minutesBeside?: number;
  run(context: RoundContext): Promise<Findings>;
}

export interface RoundContext {
  count: number;
  concurrency: number;
  minutes: number;
  /** For each stack, beside its defaults. */
  settings: Record<string, string>;
  /** The one source of chance; a branch of it for what runs at the same time. */
  random: SeededRandom;
  /** Whatever the round starts is registered here. */
  started: Started;
  say(line: string): void;
  /** What to say every few seconds from now on. */
  progress(line: () => string): void;
}

export interface Findings {
  settings: Figure[];
  figures: Figure[];
  /** Further figures, under their own heading. */
  tables?: { title: string; columns: string[]; rows: Cell[][] }[];
  /** What had to hold. One that does not fails the round. */
  invariants: Invariant[];
  /** How it was counted, and what the figures do not say. */
  notes: string[];
  /** Drawn on a page beside the report. */
  timeline?: Omit<TimelinePage, 'title' | 'verdict' | 'settings' | 'figures' | 'invariants'>;
  /** Shown in the report, and kept beside it. */
  picture?: { title: string; svg: string };
}

export type Cell = string | number;
export type Figure = [name: string, value: Cell];

export interface Invariant {
  holds: boolean;
  text: string;
}
