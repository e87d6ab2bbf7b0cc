import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from './start-error';

export interface SystemUser {
  uid: number;
  gid: number;
}

/** How to run one of PostgreSQL's programs. */
export interface Command {
  command: string;
  args: string[];
  user?: SystemUser | undefined;
}

/** PostgreSQL refuses to run as root, so root runs it as somebody else: the owner of what is there already. */
export function postgresUser(folder: string): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(folder)) {
    const { uid, gid } = statSync(folder);
    if (uid !== 0) return { uid, gid };
  }
  return userNamed('postgres') ?? userNamed('nobody') ?? missing();
}

/** Gives a folder to the user that PostgreSQL runs as. */
export function handOver(folder: string, user: SystemUser | undefined): void {
  if (user) chownSync(folder, user.uid, user.gid);
}

/**
 * Runs a program as that user. Where a folder on the way is closed to others (a checkout below /root or in a private
 * temporary folder) the user gets the one right to walk through, and nothing else of root's.
 */
export function runAs(user: SystemUser | undefined, paths: readonly string[], command: string, args: readonly string[]): Command {
  if (!user || paths.every((path) => isOpenToAll(dirname(path)))) return { command, args: [...args], user };
  const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];
  return { command: 'setpriv', args: [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...rights, '--', command, ...args] };
}

function isOpenToAll(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

function userNamed(name: string): SystemUser | undefined {
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

function missing(): never {
  throw new StartError(
    'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as. Start the stack as another user.',
  );
}
