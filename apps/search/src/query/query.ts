/** Where words are looked for. `content` is `body:`, `title` is `subject:`; the others are attributes whose values are text. */
export const textFields = ['title', 'content', 'from', 'to', 'cc', 'bcc', 'filename'] as const;
export type TextField = (typeof textFields)[number];

/** Attributes whose words bare words find, too; they count less than the title and more than the content. */
export const textAttributes = ['from', 'to', 'cc', 'bcc', 'filename'] as const satisfies readonly TextField[];

/** Fields of every document that are no attributes; no attribute may have one of these names. */
export const builtInFields = ['id', 'kind', 'title', 'content', 'url', 'timestamp'] as const;
export type BuiltInField = (typeof builtInFields)[number];

export type Comparison = '>' | '>=' | '<' | '<=';

/**
 * What a search looks for, as both engines understand it. It is bounded: the parser lets no tree through that has more
 * than MAX_CLAUSES leaves or is deeper than MAX_DEPTH.
 */
export type QueryNode =
  /** All of them hold; none given: everything holds. */
  | { kind: 'all'; of: readonly QueryNode[] }
  /** One of them holds, at least; none given: nothing does. */
  | { kind: 'any'; of: readonly QueryNode[] }
  | { kind: 'not'; of: QueryNode }
  /**
   * The words of the text stand next to each other in that order, in one value of one field; without a field in the
   * title, the content or one of `textAttributes`. Words are compared folded: case, accents and width do not count; what
   * is neither letter nor digit only separates; Han, Kana and Hangul match as bigrams. A text without any word holds
   * everywhere.
   *
   * `prefix`: the last word may go on. `fuzzy`: one word, and one that looks like it will do, in the title and
   * `textAttributes` only.
   */
  | { kind: 'text'; field?: TextField; text: string; match: 'phrase' | 'prefix' | 'fuzzy' }
  /**
   * One of the field's values is one of these, exactly as given: an attribute, `kind`, `id` or `url`. `title` and
   * `content` are never asked for in this way.
   */
  | { kind: 'equals'; field: string; values: readonly string[] }
  /**
   * One of the field's values compares so. For an attribute those of its values count that are numbers or times
   * (`numberOf`); `timestamp` is a built-in number, in unix seconds.
   */
  | { kind: 'range'; field: string; comparison: Comparison; value: number };

const NUMBER = /^-?\d{1,15}(\.\d{1,9})?$/;
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** What a value counts as where it is compared: a decimal number, or unix seconds of an ISO 8601 date or time (UTC unless it says otherwise). */
export function numberOf(value: string): number | undefined {
  if (NUMBER.test(value)) return Number(value);
  if (!TIME.test(value) || !isDay(value.slice(0, 10))) return undefined;
  const zoned = value.includes('T') && !/(Z|[+-]\d{2}:\d{2})$/.test(value) ? `${value}Z` : value;
  const ms = Date.parse(zoned);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** `Date` reads 2026-02-30 as the 2nd of March. */
function isDay(day: string): boolean {
  const ms = Date.parse(day);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(day);
}
