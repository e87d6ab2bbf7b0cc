import { createHash } from 'node:crypto';
import { numberOf, textAttributes } from '../../query/query';
import type { DocumentChange, IndexedDocument, Kind, SourceCheckpoint } from '../search.engine';

const BEGINNING_CHARACTERS = 300;
/** Neither a tenant nor an id has control characters in it. */
const SEPARATOR = '\u001f';
/** Elasticsearch takes keys of 512 bytes, of which an id may take 256. */
const MAX_TENANT_BYTES = 200;

/** What Elasticsearch keeps of a document. */
export interface DocumentSource {
  tenant: string;
  id: string;
  kind: Kind;
  url: string;
  timestamp: number;
  title: string;
  beginning: string;
  attributes: Record<string, string[]>;
}

/** The key of a document: no tenant has another's. A tenant too long for it goes in as its digest, which no name begins like. */
export function keyOf(tenant: string, id: string): string {
  const named = Buffer.byteLength(tenant) <= MAX_TENANT_BYTES ? tenant : `#${createHash('sha256').update(tenant).digest('hex')}`;
  return `${named}${SEPARATOR}${id}`;
}

/** No name of a tenant begins like that. */
export const checkpointKey = (source: string): string => `!checkpoint${SEPARATOR}${createHash('sha256').update(source).digest('hex')}`;

/** Elasticsearch cannot delete by a query what has the version 0. */
export const storedVersion = (version: number): number => version + 1;

export function sourceOfChange(change: DocumentChange, nowMs: number): object {
  if (change.change === 'index') return sourceOf(change.document);
  const { tenant, id, kind } = change;
  return { tenant, id, kind, deleted_at: nowMs };
}

function sourceOf({ tenant, id, kind, title, content, url, attributes, timestamp }: IndexedDocument): object {
  const texts = textAttributes.flatMap((name) => (Object.hasOwn(attributes, name) ? [[name, attributes[name]]] : []));
  return {
    tenant,
    id,
    kind,
    url,
    timestamp,
    title,
    content,
    beginning: beginningOf(content),
    ...(Object.fromEntries(texts) as Record<string, readonly string[]>),
    attributes,
    ...numbersOf(attributes),
  };
}

export const sourceOfCheckpoint = ({ source, checkpoint, throughMs }: SourceCheckpoint): object => ({
  source,
  checkpoint,
  through_ms: throughMs,
});

/** Half a character is none: code points, not code units. */
function beginningOf(content: string): string {
  // No code point has more than two units.
  const units = content.slice(0, 2 * BEGINNING_CHARACTERS);
  return Array.from(units).slice(0, BEGINNING_CHARACTERS).join('');
}

function numbersOf(attributes: IndexedDocument['attributes']): object {
  const size: number[] = [];
  const numbers: { name: string; value: number[] }[] = [];
  for (const [name, values] of Object.entries(attributes)) {
    const value = values.flatMap((each) => numberOf(each) ?? []);
    if (name === 'size') size.push(...value);
    else if (value.length > 0) numbers.push({ name, value });
  }
  return { ...(size.length > 0 && { size }), ...(numbers.length > 0 && { numbers }) };
}
