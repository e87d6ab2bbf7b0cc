/** What the feed claims, as it is kept beside the documents: `<rebuilds>:<through in unix milliseconds>`. */
export interface Checkpoint {
  rebuilds: number;
  throughMs: number;
}

const FORMAT = /^(\d{1,9}):(\d{1,15})$/;

export const formatCheckpoint = ({ rebuilds, throughMs }: Checkpoint): string => `${rebuilds}:${throughMs}`;

/** Undefined for '' and for what no feed has written. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const found = FORMAT.exec(text);
  return found ? { rebuilds: Number(found[1]), throughMs: Number(found[2]) } : undefined;
}

/**
 * Whether the documents are not those that this feed has sent: the index was emptied, or is a copy from before.
 * @param kept what is kept beside the documents
 * @param claimed what the feed knows to have been kept there; '': nothing yet, so nothing can have been lost
 * @param rebuilds how often everything was to be read again
 */
export function isIndexLost(kept: string, claimed: string, rebuilds: number): boolean {
  const last = parseCheckpoint(claimed);
  if (!last) return false;
  const found = parseCheckpoint(kept);
  return !found || found.rebuilds < last.rebuilds || found.rebuilds > rebuilds || found.throughMs < last.throughMs;
}
