/** Where mail can be made to die: the steps of one mail's way, in their order. */
export const CRASH_POINTS = [
  'before the accept is committed',
  'after the accept is committed, before the answer',
  'after the claim',
  'before the mark',
  'after the mark, before the dot',
  'after the dot, before the reply',
  'after the reply, before the record',
  'after the record',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];
