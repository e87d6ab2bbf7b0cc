/** How often each word was said: `3 SERVICE_UNAVAILABLE, 1 ECONNRESET`; `0` for none. */
export function tally(words: readonly string[]): string {
  const counts = Map.groupBy(words, (word) => word);
  return counts.size === 0 ? '0' : [...counts].map(([word, { length }]) => `${length} ${word}`).join(', ');
}
