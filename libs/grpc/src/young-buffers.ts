const EVERY_BYTES = 2 * 1024 * 1024;

let passed = 0;

/**
 * To be told of all bytes of files that pass through this process. V8 counts buffers towards the limit of its heap, and
 * collects the whole heap when they reach it, for each 8 MiB of a file: four fifths of all CPU, measured. What is young it
 * looks at only when its own small part of the heap is full, which buffers do not fill. Done from here, that frees them in a
 * millisecond. It takes Node's --expose-gc; without it nothing is
 * done. What is still in use at two of these collections is left to the whole heap's: --heap-growing-percent lets it wait for that.
 */
export function bytesPassed(bytes: number): void {
  passed += bytes;
  if (passed < EVERY_BYTES) return;
  passed = 0;
  void globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

/** The same chunks, counted. */
export async function* countedBytes<Chunk extends { data: Uint8Array }>(
  chunks: AsyncIterable<Chunk>,
): AsyncGenerator<Chunk, void, undefined> {
  for await (const chunk of chunks) {
    bytesPassed(chunk.data.length);
    yield chunk;
  }
}

/** The same, of chunks that may be left while the next is waited for: a generator would tell them only when that has come. */
export const countedRequests = <Chunk extends { data: Uint8Array }>(chunks: AsyncIterable<Chunk>): AsyncIterable<Chunk> => ({
  [Symbol.asyncIterator]: () => {
    const source = chunks[Symbol.asyncIterator]();
    return {
      next: async () => {
        const next = await source.next();
        if (!next.done) bytesPassed(next.value.data.length);
        return next;
      },
      return: async () => (await source.return?.()) ?? { done: true, value: undefined },
    };
  },
});
