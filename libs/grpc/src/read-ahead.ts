/**
 * Node would read 16 messages ahead, 64 MiB of the largest: a stream that is held back holds one in hand, and none beside
 * it. The field is private; without it a stream costs more memory, and tests on real servers see that.
 */
export function readNoneAhead(stream: object): void {
  const { _readableState: state } = stream as { _readableState?: { highWaterMark: number } };
  if (state) state.highWaterMark = 0;
}
