import 'reflect-metadata';
import { appendFileSync } from 'node:fs';
import { parseArguments, UsageError } from './arguments';
import { bulk } from './bulk.round';
import { cancels } from './cancels.round';
import { dots } from './dots.round';
import { edge } from './edge.round';
import { events } from './events.round';
import { fairness } from './fairness.round';
import { faults } from './faults.round';
import { files } from './files.round';
import { kills } from './kills.round';
import { machine, type RoundRun, verdict, writeReport } from './report';
import { BrokenOffError, type Findings, type Round } from './round';
import { SeededRandom } from './seeded-random';
import { rollout } from './rollout.round';
import { search } from './search.round';
import { sends } from './sends.round';
import { Started } from './started';
import { takeover } from './takeover.round';
import { twins } from './twins.round';
import { uploads } from './uploads.round';

const rounds: Record<string, Round> = {
  bulk,
  cancels,
  dots,
  edge,
  events,
  fairness,
  faults,
  files,
  kills,
  rollout,
  search,
  sends,
  takeover,
  twins,
  uploads,
};

const PROGRESS_MS = 5000;
const MINUTE_MS = 60_000;

const say = (line: string): void => console.log(`${new Date().toTimeString().slice(0, 8)} ${line}`);

/** Rejects when the round is to end: a signal, the time limit, an error that nobody caught. */
function brokenOff(minutes: number): Promise<never> {
  return new Promise((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => reject(new BrokenOffError(signal)));
    process.on('uncaughtException', reject);
    setTimeout(() => reject(new BrokenOffError(`not done within ${minutes} minutes`)), minutes * MINUTE_MS).unref();
  });
}

async function run(): Promise<number> {
  const { name, round, seed, count, concurrency, minutes, to, settings, command } = parseArguments(rounds, process.argv.slice(2));
  const started = new Started();
  let progress: () => string = () => 'starting';
  const ticker = setInterval(() => say(progress()), PROGRESS_MS);
  try {
    say(`${name}: seed ${seed}, ${count} ${round.count.of}, ${concurrency} ${round.concurrency.of}`);
    const about = { name, round, command, seed, count, concurrency, beganAt: new Date(), machine: machine() };
    const random = new SeededRandom(seed);
    const context = {
      count,
      concurrency,
      minutes,
      settings,
      random,
      started,
      say,
      progress: (line: () => string) => void (progress = line),
    };
    const findings = await Promise.race([round.run(context), brokenOff(minutes + (round.minutesBeside ?? 0))]);
    return tell({ ...about, seconds: (Date.now() - about.beganAt.getTime()) / 1000 }, findings, to);
  } finally {
    clearInterval(ticker);
    say('ending what was started');
    await started.end();
  }
}

function tell(run: RoundRun, findings: Findings, to: string): number {
  for (const [figure, value] of findings.figures) say(`${figure}: ${value}`);
  say(`${writeReport(run, findings, to)}: ${verdict(findings)}`);
  const fallen = findings.invariants.filter(({ holds }) => !holds).length;
  // CI sums its closing line from these.
  const { TALLY_FILE } = process.env;
  if (TALLY_FILE) appendFileSync(TALLY_FILE, `${findings.invariants.length - fallen} ${fallen}\n`);
  return fallen === 0 ? 0 : 1;
}

function fail(error: unknown): number {
  const expected = error instanceof UsageError || error instanceof BrokenOffError;
  console.error(expected ? error.message : error);
  return error instanceof UsageError ? 2 : 1;
}

void run()
  .catch(fail)
  .then((code) => process.exit(code));
