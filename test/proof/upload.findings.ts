import { quantiles } from './quantiles';
import type { Cell, Figure, Findings, Invariant } from './round';
import { tally } from './tally';
import type { VictimName } from './upload.plan';
import type { Outage } from './upload.victims';
import { wayNames } from './upload.way';
import { isNoOutage, type Uploading } from './uploading';

const MEBIBYTE = 2 ** 20;

/** What there is once everything that was left has expired. */
export interface Left {
  /** Nothing is under way any more, nothing is to be removed. */
  isSwept: boolean;
  /** Files that did not come back as they were sent. */
  broken: readonly string[];
  /** By id, with the hash of the content. */
  files: ReadonlyMap<string, string>;
  /** That the database refers to. */
  objects: readonly string[];
  /** That the store holds. */
  stored: readonly string[];
  usage: { counted: number; stored: number };
}

export function uploadFindings(all: readonly Uploading[], left: Left, outages: readonly Outage[], settings: Figure[]): Findings {
  return {
    settings,
    figures: figuresOf(all, left),
    tables: [killTable(all), wayTable(all), outageTable(outages)],
    invariants: invariantsOf(all, left),
    notes: [
      'A kill belongs to the upload whose progress called for it; it hits the other uploads at work as well. One whose upload was done before it came is not counted.',
      'Time to resume: from the kill (of a client: from when the next one is up) to the beginning of the attempt that brought something, or that met the next kill, the time that the victim was away, and that the client ' +
        'waited between two attempts (0.1 to 1 s), included. An upload that went on unhurt has none.',
      'Sent again: bytes that had left the client for the system’s sockets, and that the server did not have when the upload was gone on. Of a POST, which has no way to go on, ' +
        'that is all of it.',
      'Done is what the client was told; every file in the database was downloaded and compared as well, those that no client was told of too (an answer that was lost ' +
        'with its client).',
    ],
  };
}

function invariantsOf(all: readonly Uploading[], left: Left): Invariant[] {
  const toFinish = all.filter(({ plan }) => !plan.abandoned);
  const open = toFinish.filter(({ done }) => !done);
  const wrongAnswers = all.filter(({ done, expected }) => done?.sha256 !== undefined && done.sha256 !== expected.sha256);
  const faults = all.flatMap((upload) => upload.faults.map((fault) => `${upload.plan.number} (${upload.plan.way}): ${fault}`));
  const never = all.flatMap(({ failures }) => failures.filter(isNoOutage));
  const objects = new Set(left.objects);
  const orphans = left.stored.filter((name) => !objects.has(name));
  const stored = new Set(left.stored);
  const missing = left.objects.filter((id) => !stored.has(id));
  const lost = all.filter(({ done }) => done && !left.files.has(done.fileId));
  const { usage } = left;
  return [
    [
      open.length === 0,
      `every upload that was gone on with ended complete (others: ${open.map(({ plan }) => `upload ${plan.number}`).join(', ') || 0})`,
    ],
    [wrongAnswers.length === 0, `the sha256 that was answered is that of what was sent (others: ${wrongAnswers.length})`],
    [
      left.broken.length === 0 && lost.length === 0,
      `every file was downloaded as it was sent (of ${left.files.size}; others: ${left.broken.join('; ') || 0}, missing: ${lost.length})`,
    ],
    [
      faults.length === 0,
      `an id showed no file before all of it was sent, then the whole file and never less; what was once said to be stored was there (others: ${faults.join('; ') || 0})`,
    ],
    [never.length === 0, `no client was told what an outage cannot make true (${tally(never)})`],
    [left.isSwept, 'after their expiry no upload was left, and no object to be removed'],
    [orphans.length === 0, `then the store held nothing that no file refers to (others: ${orphans.join(', ') || 0})`],
    [missing.length === 0, `and everything that one refers to (${objects.size} objects, missing: ${missing.length})`],
    [usage.counted === usage.stored, `the tenant was counted for ${usage.counted} bytes, and had ${usage.stored}`],
    [all.some(({ kills }) => kills.some(({ resumedMs }) => resumedMs !== undefined)), 'the kills met uploads under way'],
  ].map(([holds, text]) => ({ holds: Boolean(holds), text: String(text) }));
}

function figuresOf(all: readonly Uploading[], { files, stored }: Left): Figure[] {
  const kills = all.flatMap((upload) => upload.kills);
  const resumed = kills.flatMap(({ resumedMs }) => resumedMs ?? []);
  const { p50, max } = quantiles(resumed);
  const told = new Set(all.flatMap(({ done }) => done?.fileId ?? []));
  const untold = [...files.keys()].filter((id) => !told.has(id)).length;
  const resumable = all.filter(({ plan }) => plan.way !== 'POST');
  return [
    ['uploads: done / left for good', `${told.size} / ${all.filter(({ plan, done }) => plan.abandoned && !done).length}`],
    ['bytes of those done', all.reduce((sum, { done, expected }) => sum + (done ? expected.size : 0), 0)],
    ['kills', kills.length],
    ['kills that an upload had to be gone on after', resumed.length],
    ['time to resume: median, longest', `${seconds(p50)} s, ${seconds(max)} s`],
    [
      'most that was sent again of an upload that can be gone on with',
      mebibytes(Math.max(0, ...resumable.map(({ lostBytes }) => lostBytes))),
    ],
    ['looks at ids of uploads under way', all.reduce((sum, { looks }) => sum + looks, 0)],
    ['files whose client was never told', untold],
    ['objects in the store', stored.length],
    ['attempts that failed', tally(all.flatMap(({ failures }) => failures))],
  ];
}

function killTable(all: readonly Uploading[]) {
  const victims: VictimName[] = ['client', 'gateway', 'mail', 'postgres', 'store'];
  const cell = (way: string, victim: VictimName): Cell => {
    const kills = all.filter(({ plan }) => plan.way === way).flatMap((upload) => upload.kills.filter((kill) => kill.victim === victim));
    const { p50, max } = quantiles(kills.flatMap(({ resumedMs }) => resumedMs ?? []));
    return kills.length === 0 ? '' : `${kills.length} (${seconds(p50)} / ${seconds(max)} s)`;
  };
  const rows = wayNames.map((way) => [way, ...victims.map((victim) => cell(way, victim))]);
  return { title: 'Kills, and the time to resume: median / longest', columns: ['way', ...victims], rows };
}

function wayTable(all: readonly Uploading[]) {
  const rows = wayNames.map((way) => {
    const of = all.filter(({ plan }) => plan.way === way);
    const retries = of.reduce((sum, { failures }) => sum + failures.length, 0);
    const left = of.filter(({ plan, done }) => plan.abandoned && !done).length;
    const lost = quantiles(of.map(({ lostBytes }) => lostBytes));
    return [way, of.length, of.filter(({ done }) => done).length, left, retries, mebibytes(lost.p50), mebibytes(lost.max)];
  });
  return {
    title: 'Ways',
    columns: ['way', 'uploads', 'done', 'left for good', 'attempts that failed', 'sent again, median', 'most'],
    rows,
  };
}

function outageTable(outages: readonly Outage[]) {
  const rows = [...Map.groupBy(outages, ({ victim }) => victim)].map(([victim, of]) => {
    const { p50, max } = quantiles(of.map(({ backMs }) => backMs));
    return [victim, of.length, seconds(p50), seconds(max)];
  });
  return { title: 'Outages', columns: ['victim', 'outages', 'back after, median, s', 'longest, s'], rows };
}

const seconds = (ms: number): string => (Number.isNaN(ms) ? '–' : (ms / 1000).toFixed(1));
const mebibytes = (bytes: number): string => (Number.isNaN(bytes) ? '–' : `${(bytes / MEBIBYTE).toFixed(1)} MiB`);
