import { appendFileSync, readFileSync } from 'node:fs';

/** What the relay did, as it did it. */
export type RelayNote =
  /** The mail is the relay's from now on. Written before the reply, and kept when the relay is killed. */
  | { what: 'kept'; at: number; id: string; to: string[]; messageId: string }
  /** Refused for good, to the client's face. */
  | { what: 'refused'; at: number; id: string; to: string[] }
  | { what: 'did'; at: number; behaviour: string };

/** Appends one note: a single write, whole or not there. */
export function note(path: string, noted: RelayNote): void {
  appendFileSync(path, `${JSON.stringify(noted)}\n`);
}

/** All notes so far, oldest first. */
export function readNotes(path: string): RelayNote[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RelayNote);
}
