import { parseArgs } from 'node:util';
import type { Bound, Round } from './round';

const MINUTES: Bound = { of: 'minutes, at most', default: 30, max: 240 };
const REPORTS = 'docs/proof';
const SEED: Bound = { of: 'seed', default: 1, max: 2 ** 31 - 1 };

/** The command line is wrong, or help was asked for. */
export class UsageError extends Error {}

export interface Arguments {
  name: string;
  round: Round;
  seed: number;
  count: number;
  concurrency: number;
  minutes: number;
  /** The folder that the report goes to. */
  to: string;
  /** For the stack, beside its defaults: NAME to value. */
  settings: Record<string, string>;
  /** That runs the same again. */
  command: string;
}

/** @throws UsageError */
export function parseArguments(rounds: Record<string, Round>, given: string[]): Arguments {
  const { values, positionals } = parse(given, rounds);
  const [name = ''] = positionals;
  const round = Object.hasOwn(rounds, name) ? rounds[name] : undefined;
  if (values.help || !round || positionals.length > 1) throw new UsageError(usage(rounds));
  const randomSeed = { ...SEED, default: Math.floor(Math.random() * SEED.max) };
  const seed = number('seed', values.seed, randomSeed);
  const count = number('count', values.count, round.count);
  const concurrency = number('concurrency', values.concurrency, round.concurrency);
  const minutes = number('minutes', values.minutes, MINUTES);
  const settings = Object.fromEntries((values.set ?? []).map(setting));
  const options: (string | number)[] = [
    'seed',
    seed,
    'count',
    count,
    'concurrency',
    concurrency,
    ...(round.minutesBeside === undefined ? [] : ['minutes', minutes]),
    ...(values.set ?? []).flatMap((given) => ['set', given]),
  ];
  const command = options.reduce<string>((line, option, i) => `${line} ${i % 2 === 0 ? '--' : ''}${option}`, `npm run proof -- ${name}`);
  return { name, round, seed, count, concurrency, minutes, to: values.to ?? REPORTS, settings, command };
}

function parse(args: string[], rounds: Record<string, Round>) {
  const text = { type: 'string' } as const;
  const options = {
    seed: text,
    count: text,
    concurrency: text,
    minutes: text,
    to: text,
    set: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage(rounds)}`);
  }
}

function setting(given: string): [string, string] {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(given) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`--set takes NAME=value, not ${given}`);
  return [name, value];
}

function number(name: string, given: string | undefined, bound: Bound): number {
  const value = given === undefined ? bound.default : Number(given);
  if (!Number.isInteger(value) || value < 1 || value > bound.max)
    throw new UsageError(`--${name} must be a whole number from 1 to ${bound.max}`);
  return value;
}

function usage(rounds: Record<string, Round>): string {
  const bound = (option: string, { of, default: by, max }: Bound): string => `      --${option.padEnd(12)} ${of}: ${by}, at most ${max}`;
  const lines = Object.entries(rounds).flatMap(([name, { title, count, concurrency }]) => [
    `  ${name.padEnd(10)} ${title}`,
    bound('count', count),
    bound('concurrency', concurrency),
  ]);
  return [
    'npm run proof -- <round> [--seed N] [--count N] [--concurrency N] [--minutes N] [--to FOLDER] [--set NAME=value ...]',
    ...lines,
    `  --seed: any one when left out; --minutes: the longest it may take (${MINUTES.default}), for faults how long they are injected; --set: a setting of the stack`,
    `The report goes to ${REPORTS}/<date>-<round>.md, or to the folder that --to names; the exit code is not 0 when something fell.`,
  ].join('\n');
}
