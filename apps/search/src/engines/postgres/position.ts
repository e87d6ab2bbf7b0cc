/** Where a search goes on: behind this hit, among what was placed before the snapshot of the first page. */
export interface Position {
  /** As `pg_current_snapshot` writes it: xmin:xmax:xid,xid,... */
  snapshot: string;
  rank: number;
  timestamp: number;
  id: string;
}

const PREFIX = 'p1.';
/** A caller is told 2000 characters at most, and so much an id needs, with what is around it. */
const MAX_SNAPSHOT_LENGTH = 1000;
const SNAPSHOT = /^[0-9a-z]{1,12}(,[0-9a-z]{1,12}){1,400}$/;
const MAX_ID_LENGTH = 256;

export function writePosition({ snapshot, rank, timestamp, id }: Position): string {
  return PREFIX + Buffer.from(JSON.stringify([packed(snapshot), rank, timestamp, id])).toString('base64url');
}

/** Undefined where it is none. */
export function readPosition(text: string): Position | undefined {
  try {
    if (!text.startsWith(PREFIX)) return undefined;
    const parts: unknown = JSON.parse(Buffer.from(text.slice(PREFIX.length), 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 4) return undefined;
    const [snapshot, rank, timestamp, id] = parts as unknown[];
    if (typeof snapshot !== 'string' || !SNAPSHOT.test(snapshot) || !isNumber(rank) || !isNumber(timestamp)) return undefined;
    if (typeof id !== 'string' || id.length > MAX_ID_LENGTH || !Number.isSafeInteger(timestamp)) return undefined;
    return { snapshot: unpacked(snapshot), rank, timestamp, id };
  } catch {
    return undefined;
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Each number as what it is more than the one before, so that hundreds of transactions under way have room. */
function packed(snapshot: string): string {
  const [xmin = '', xmax = '', list = ''] = snapshot.split(':');
  let before = BigInt(xmin);
  const numbers = [before, BigInt(xmax) - before];
  for (const xid of list === '' ? [] : list.split(',')) {
    numbers.push(BigInt(xid) - before);
    before = BigInt(xid);
  }
  const text = numbers.map((number) => number.toString(36)).join(',');
  // Very many writers: what any of them places counts as later, as if all that began since the first of them were under way.
  return text.length <= MAX_SNAPSHOT_LENGTH ? text : `${BigInt(xmin).toString(36)},0`;
}

function unpacked(text: string): string {
  const [xmin = 0n, span = 0n, ...steps] = text.split(',').map((part) => BigInt(Number.parseInt(part, 36)));
  let xid = xmin;
  const list = steps.map((step) => (xid += step));
  return `${xmin}:${xmin + span}:${list.join(',')}`;
}
