import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Field 22 of /proc/<pid>/stat, counted after the name, which may hold blanks. */
const START_TIME = 19;

/**
 * Tells one process from a later one that got the same pid, also across a restart of the machine; undefined when no
 * such process runs.
 */
export function processIdentity(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') return run('ps', '-o', 'lstart=', '-p', String(pid)).trim() || undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${rest[START_TIME - 1]}`;
  } catch {
    return undefined;
  }
}

/** The command line that a process was started with; empty when it does not run. */
export function processCommand(pid: number): string {
  try {
    if (process.platform !== 'linux') return run('ps', '-o', 'args=', '-p', String(pid)).trim();
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
