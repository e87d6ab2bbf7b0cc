/** A field of a request as REST names it: `to[0]`, `attachments[0].filename`, `headers[X-Name]`, `attributes[author][0]`. */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, key, at) => {
    if (typeof key === 'number' || MAPS.has(String(path[at - 1]))) return `${before}[${String(key)}]`;
    return before ? `${before}.${String(key)}` : String(key);
  }, '');
}

/** Objects whose keys the caller chooses. */
const MAPS = new Set(['headers', 'metadata', 'attributes']);
