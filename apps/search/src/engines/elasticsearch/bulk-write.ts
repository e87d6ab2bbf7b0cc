import { setTimeout as wait } from 'node:timers/promises';
import { type ChangeOutcome, type DocumentChange, EngineUnavailableError } from '../search.engine';
import { keyOf, sourceOfChange, storedVersion } from './document.mapper';
import { backoffMs, type ElasticsearchClient, isBusy } from './elasticsearch.client';

/** A document or a checkpoint, ready to be sent. */
export interface BulkLine {
  key: string;
  /** Its lines in the request. */
  action: string;
  source: string;
}

export interface ItemResult {
  status: number;
  result?: 'created' | 'updated';
  error?: { type: string; reason?: string };
}

type Outcomes = (ChangeOutcome | Error)[];
/** What is known of a document before a change. */
type Known = 'absent' | 'there' | 'deleted';

const MAX_CHUNK_BYTES = 8 * 1024 * 1024;
const MAX_CHUNK_ITEMS = 1000;
/** Together some 8 seconds: a rebuilt index takes the place of the present one in less. */
const TRIES = 8;
const LONGEST_WAIT_MS = 2000;

export interface BulkTarget {
  client: ElasticsearchClient;
  alias: string;
  /** The index behind the alias is gone: makes it anew. */
  remake: () => Promise<void>;
  blocks: { gone(): void; seen(): Promise<void> };
}

export const bulkLine = (key: string, version: number, source: object, versionType = 'external'): BulkLine => ({
  key,
  action: JSON.stringify({ index: { _id: key, version, version_type: versionType } }),
  source: JSON.stringify(source),
});

/**
 * Writes changes in their order. Versions are Elasticsearch's external ones, so that it decides by itself what is older,
 * whatever else is written; a deletion is a document, too, whose version stays. What was there before is asked first: it
 * only names the outcome (a document in place of a deletion is `created`), and two who write one document at the same
 * moment may be told the same.
 */
export async function writeChanges(target: BulkTarget, changes: readonly DocumentChange[], nowMs: number): Promise<Outcomes> {
  const lines = changes.map((change) => lineOf(change, nowMs));
  const known = await statesBefore(target, [...new Set(lines.map(({ key }) => key))]);
  const outcomes: Outcomes = [];
  for (const chunk of chunksOf(lines)) {
    for (const result of await writeLines(target, chunk)) {
      const index = outcomes.length;
      const [change, line] = [changes[index], lines[index]];
      if (change && line) outcomes.push(outcomeOf(change, line.key, result, known));
    }
  }
  return outcomes;
}

function lineOf(change: DocumentChange, nowMs: number): BulkLine {
  const { tenant, id, version } = change.change === 'index' ? change.document : change;
  return bulkLine(keyOf(tenant, id), storedVersion(version), sourceOfChange(change, nowMs));
}

/** Bounded in bytes, too: a request that is too large is refused as a whole. */
export function* chunksOf(lines: readonly BulkLine[]): Generator<BulkLine[]> {
  let chunk: BulkLine[] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(line.action) + Buffer.byteLength(line.source) + 2;
    if (chunk.length > 0 && (bytes + size > MAX_CHUNK_BYTES || chunk.length >= MAX_CHUNK_ITEMS)) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(line);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * Sends them until each is written or refused for good, a bounded number of times.
 * @returns a result for each, in order
 * @throws EngineUnavailableError where the server was away, or took none
 */
export async function writeLines({ client, alias, remake, blocks }: BulkTarget, lines: readonly BulkLine[]): Promise<ItemResult[]> {
  const results: ItemResult[] = new Array<ItemResult>(lines.length);
  let left = lines.map((line, index) => ({ line, index }));
  for (let attempt = 1; left.length > 0; attempt++) {
    const { items } = await client.request<{ items: { index: ItemResult }[] }>({
      method: 'POST',
      path: `/${alias}/_bulk`,
      // Never an index that Elasticsearch makes up under the name of the alias.
      querystring: {
        require_alias: true,
        timeout: '10s',
        filter_path: 'items.*.status,items.*.result,items.*.error.type,items.*.error.reason',
      },
      lines: left.flatMap(({ line }) => [line.action, line.source]),
    });
    const again: typeof left = [];
    for (const [at, entry] of left.entries()) {
      const result = items[at]?.index ?? { status: 503 };
      results[entry.index] = result;
      if (mayPass(result)) again.push(entry);
    }
    const errors = again.map(({ index }) => results[index]?.error?.type);
    if (errors.includes('cluster_block_exception')) await blocks.seen();
    else blocks.gone();
    if (again.length === 0 || attempt >= TRIES) break;
    if (errors.includes('index_not_found_exception')) await remake();
    left = again;
    await wait(Math.min(backoffMs(attempt), LONGEST_WAIT_MS));
  }
  return results;
}

/** Refused for now: no room, no shard, an index that is about to be replaced, or is lost. */
const mayPass = ({ status, error }: ItemResult): boolean =>
  isBusy(status) || error?.type === 'index_not_found_exception' || error?.type === 'cluster_block_exception';

async function statesBefore({ client, alias }: BulkTarget, keys: readonly string[]): Promise<Map<string, Known>> {
  const states = new Map<string, Known>();
  for (let from = 0; from < keys.length; from += MAX_CHUNK_ITEMS) {
    const { docs } = await client.request<{ docs: { _id: string; found?: boolean; _source?: object; error?: unknown }[] }>({
      method: 'POST',
      path: `/${alias}/_mget`,
      querystring: { _source_includes: 'deleted_at', filter_path: 'docs._id,docs.found,docs._source' },
      body: { ids: keys.slice(from, from + MAX_CHUNK_ITEMS) },
    });
    for (const { _id, found, _source } of docs) {
      states.set(_id, !found ? 'absent' : Object.hasOwn(_source ?? {}, 'deleted_at') ? 'deleted' : 'there');
    }
  }
  return states;
}

function outcomeOf({ change }: DocumentChange, key: string, result: ItemResult, known: Map<string, Known>): ChangeOutcome | Error {
  const before = result.result === 'created' ? 'absent' : (known.get(key) ?? 'absent');
  if (result.status === 409) return 'unchanged';
  if (result.error || result.result === undefined) return errorOf(result);
  known.set(key, change === 'delete' ? 'deleted' : 'there');
  if (change === 'delete') return before === 'there' ? 'deleted' : 'unchanged';
  return before === 'there' ? 'updated' : 'created';
}

function errorOf(result: ItemResult): Error {
  if (mayPass(result) || result.error === undefined) return new EngineUnavailableError({ cause: result.error?.type });
  return new Error(`Elasticsearch took the document not: ${result.error.type}`, { cause: result.error.reason });
}
