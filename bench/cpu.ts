import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** user + system time of a process and its children so far, in microseconds, from /proc (Linux). */
export function cpuMicroseconds(pid: number): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(entry);
    if (!fields) continue;
    const isChild = Number(fields[1]) === pid;
    if (Number(entry) === pid) ticks += sum(fields.slice(11, 15));
    else if (isChild) ticks += sum(fields.slice(11, 13));
  }
  return (ticks / TICKS_PER_SECOND) * 1_000_000;
}

/** Resident memory of a process, in MiB. */
export function residentMebibytes(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) / 1024;
}

/** The fields of /proc/PID/stat from the third on (state, parent, ...), or nothing if the process has ended. */
function statOf(pid: string): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

const sum = (fields: readonly string[]): number => fields.reduce((total, field) => total + Number(field), 0);
