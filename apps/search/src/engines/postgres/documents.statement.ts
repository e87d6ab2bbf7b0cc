import { createHash } from 'node:crypto';
import type { Statement } from '@sky-genesis/database';
import { numberOf, textAttributes } from '../../query/query';
import type { DocumentChange, IndexedDocument } from '../search.engine';
import { storable } from './lexemes';
import { termsOf } from './tsvector';

export interface WrittenRow {
  tenant: string;
  id: string;
  /** Null where there was nothing. */
  before: number | null;
  wasThere: boolean;
}

const BEGINNING_LENGTH = 300;

const COLUMNS = {
  tenant: 'text',
  id: 'text',
  kind: 'text',
  version: 'bigint',
  timestamp: 'bigint',
  title: 'text',
  url: 'text',
  beginning: 'text',
  attributes: 'jsonb',
  numbers: 'jsonb',
  names: 'text',
  ranked: 'tsvector',
  content: 'text',
  terms: 'tsvector',
  digest: 'text',
  deleted: 'boolean',
} as const;
type Row = Record<keyof typeof COLUMNS, unknown>;

const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
const quoted = (name: string) => (name === 'timestamp' ? '"timestamp"' : name);
const KEPT_WHERE_SAME = ['content', 'terms', 'ranked', 'names'];
const ALWAYS_SET = ['kind', 'version', 'timestamp', 'title', 'url', 'beginning', 'attributes', 'numbers', 'digest'];

/** In the order of their keys, so that two writers of the same documents wait for each other instead of blocking each other. */
const WRITE = `
insert into document as d (tenant, id, kind, version, "timestamp", title, url, beginning, attributes, numbers, names, ranked, content, terms,
  digest, placed_xid, deleted_at)
select n.tenant, n.id, n.kind, n.version, n."timestamp", n.title, n.url, n.beginning, n.attributes::jsonb, n.numbers::jsonb, n.names,
  n.ranked::tsvector, n.content, n.terms::tsvector, n.digest, pg_current_xact_id(), case when n.deleted then now() end
from unnest(${NAMES.map((name, i) => `$${i + 1}::${parameterType(COLUMNS[name])}[]`).join(', ')}) n (${NAMES.map(quoted).join(', ')})
order by n.tenant collate "C", n.id collate "C"
on conflict (tenant, id) do update set
  ${ALWAYS_SET.map((name) => `${quoted(name)} = excluded.${quoted(name)}`).join(', ')},
  ${KEPT_WHERE_SAME.map((name) => `${name} = case when d.digest = excluded.digest then d.${name} else excluded.${name} end`).join(', ')},
  placed_xid = case when d.digest = excluded.digest then d.placed_xid else excluded.placed_xid end,
  deleted_at = excluded.deleted_at
where d.version < excluded.version
returning d.tenant, d.id, old.version::float8 as before, old.id is not null and old.deleted_at is null as "wasThere"`;

/** One change of each document, at most; those that its version lets through come back. */
export function writeStatement(changes: readonly DocumentChange[]): Statement {
  const rows = changes.map((change) => (change.change === 'index' ? documentRow(change.document) : tombstoneRow(change)));
  return { name: 'document-write', text: WRITE, values: NAMES.map((name) => rows.map((row) => row[name])) };
}

export const forgetStatement = (days: number, limit: number): Statement => ({
  text: `delete from document where (tenant, id) in (
    select tenant, id from document where deleted_at < now() - make_interval(secs => $1) order by deleted_at limit $2) and deleted_at is not null`,
  values: [days * 86_400, limit],
});

function parameterType(type: string): string {
  return type === 'jsonb' || type === 'tsvector' ? 'text' : type;
}

function documentRow(given: IndexedDocument): Row {
  const document = {
    ...given,
    title: storable(given.title),
    content: storable(given.content),
    attributes: storableAttributes(given.attributes),
  };
  const { terms, ranked, names } = termsOf(document);
  return {
    tenant: storable(document.tenant),
    id: storable(document.id),
    kind: document.kind,
    version: document.version,
    timestamp: document.timestamp,
    title: document.title,
    url: storable(document.url),
    beginning: beginningOf(document.content),
    attributes: JSON.stringify(document.attributes),
    numbers: JSON.stringify(numbersOf(document.attributes)),
    names,
    ranked,
    content: document.content,
    terms,
    digest: digestOf(document),
    deleted: false,
  };
}

function tombstoneRow({ tenant, id, kind, version }: Extract<DocumentChange, { change: 'delete' }>): Row {
  const empty = {
    timestamp: 0,
    title: '',
    url: '',
    beginning: '',
    attributes: '{}',
    numbers: '{}',
    names: '',
    ranked: '',
    content: '',
    terms: '',
  };
  return { tenant: storable(tenant), id: storable(id), kind, version, ...empty, digest: '', deleted: true };
}

const storableAttributes = (attributes: IndexedDocument['attributes']): Record<string, string[]> =>
  Object.fromEntries(Object.entries(attributes).map(([name, values]) => [storable(name), values.map(storable)]));

/** The values that are numbers or times, by attribute. */
function numbersOf(attributes: IndexedDocument['attributes']): Record<string, number[]> {
  const numbers = Object.entries(attributes).map(([name, values]) => [name, values.flatMap((value) => numberOf(value) ?? [])] as const);
  return Object.fromEntries(numbers.filter(([, found]) => found.length > 0));
}

function beginningOf(content: string): string {
  // No character is longer than two units, so that no more need be looked at.
  return Array.from(content.slice(0, 2 * BEGINNING_LENGTH))
    .slice(0, BEGINNING_LENGTH)
    .join('');
}

/** Of all that decides where a document ranks, and whether it is searched: a change of anything else leaves it in its place. */
function digestOf({ kind, title, content, attributes, timestamp }: IndexedDocument): string {
  const names = textAttributes.map((field) => (Object.hasOwn(attributes, field) ? attributes[field] : []));
  return createHash('sha256')
    .update(JSON.stringify([kind, title, content, names, timestamp]))
    .digest('base64url');
}
