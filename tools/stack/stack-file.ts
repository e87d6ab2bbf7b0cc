import { readFileSync, rmSync } from 'node:fs';
import type { StackPorts } from './app-environment';
import { writeWhole } from './write-whole';

/** What a running stack tells other programs, in `<data folder>/stack.json`. A part that is not the stack's own is left out. */
export interface StackDescription {
  urls: { gateway: string; sink?: string; edge?: string };
  ports: StackPorts;
  /** Empty where tokens come from an issuer of the person's own. */
  token: string;
  pids: Partial<Record<ProcessName, number>>;
}

export type ProcessName = 'postgres' | 'sink' | 'search' | 'mail' | 'gateway' | 'edge';

export const writeStackFile = (path: string, stack: StackDescription): void => writeWhole(path, `${JSON.stringify(stack, null, 2)}\n`);

export const removeStackFile = (path: string): void => rmSync(path, { force: true });

/** @throws Error when no stack is ready on that folder */
export const readStackFile = (path: string): StackDescription => JSON.parse(readFileSync(path, 'utf8')) as StackDescription;
