import type { Answer, Hit } from '../engines/search.engine';

/** What protobuf adds to a field, at most, names and lengths of a map's entries included. */
const BYTES_OF_FIELD = 16;

/** The answer with as many of its hits, from the first on, as fit into so many bytes; one at least. */
export function fitAnswer(answer: Answer, maxBytes: number): Answer {
  let bytes = answer.facets.reduce((sum, { field, values }) => sum + sizeOfTexts([field, ...values.map(({ value }) => value)]), 0);
  const kept: Hit[] = [];
  for (const hit of answer.hits) {
    bytes += sizeOf(hit);
    if (bytes > maxBytes && kept.length > 0) return { ...answer, hits: kept, more: true };
    kept.push(hit);
  }
  return answer;
}

function sizeOf({ id, title, content, url, highlights, attributes }: Hit): number {
  const inAttributes = Object.entries(attributes).reduce((sum, [name, values]) => sum + sizeOfTexts([name, ...values]), 0);
  return 8 * BYTES_OF_FIELD + sizeOfTexts([id, title, content, url, ...highlights]) + inAttributes;
}

const sizeOfTexts = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text) + BYTES_OF_FIELD, 0);
