/** Of the query as it is typed, in characters (code points). */
export const MAX_QUERY_LENGTH = 1024;
/** Leaves of the tree: words, phrases and operators' values. */
export const MAX_CLAUSES = 64;
/** Of the tree, its leaves included; and of groups within groups as they are typed. */
export const MAX_DEPTH = 16;

export const MAX_PREFIXES = 8;
/** Letters and digits before the star; one that is Han, Kana or Hangul is enough. */
export const MIN_PREFIX_LENGTH = 2;

export const MAX_FUZZY_WORDS = 4;
export const MIN_FUZZY_LENGTH = 4;
export const MAX_FUZZY_LENGTH = 32;

export const MAX_FILTERS = 32;
/** Of one filter: `field:a|b|c`. */
export const MAX_FILTER_VALUES = 50;
export const MAX_FILTER_VALUE_BYTES = 1024;

export const MAX_FACETS = 10;
