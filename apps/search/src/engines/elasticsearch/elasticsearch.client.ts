import { setTimeout as wait } from 'node:timers/promises';
import { Client, type ClientOptions, errors } from '@elastic/elasticsearch';
import { EngineUnavailableError } from '../search.engine';
import type { ElasticsearchSettings } from './elasticsearch.settings';
import type { BoundQuery } from './tenant-query';

export interface Call {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  querystring?: Record<string, string | number | boolean>;
  body?: object;
  /** Lines of a bulk request, each one JSON already. */
  lines?: readonly string[];
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
  /** Tries in all; 1 for what may not be done twice. */
  tries?: number;
}

/** What a request asks for beside its query: never a query. */
export type RequestParts = Record<string, unknown> & { query?: never; post_filter?: never; knn?: never; suggest?: never };

/** Elasticsearch answered, and would not: what it said, for logs and for who knows what to make of it. */
export class ElasticsearchRefusal extends Error {
  constructor(
    readonly status: number,
    /** Its word for it, such as index_not_found_exception. */
    readonly type: string,
    options?: ErrorOptions,
  ) {
    super(`Elasticsearch: ${status} ${type}`, options);
    this.name = new.target.name;
  }
}

const TRIES = 3;
const FIRST_WAIT_MS = 60;
/** Refused for now: by the server, or by what stands before it. */
const BUSY = new Set([429, 502, 503, 504]);
/** What is asked with a query goes by a method that takes it from `tenant-query.ts` only. */
const TAKES_A_QUERY = /_(search|count|msearch|delete_by_query|update_by_query|reindex|async_search)$|_(search|msearch)\/template/;

/**
 * The only way to Elasticsearch. A query reaches it only as a BoundQuery, which `tenant-query.ts` alone makes. Whatever
 * says that the server is away, or has no room, is an EngineUnavailableError after a bounded number of tries.
 */
export class ElasticsearchClient {
  private readonly client: Client;
  private speaksVersion8 = false;

  constructor(private readonly settings: ElasticsearchSettings) {
    this.client = new Client(optionsOf(settings));
  }

  /** @param target an index or alias; none where `parts.pit` says what is searched */
  search<T>(target: string | undefined, query: BoundQuery, parts: RequestParts, options: CallOptions): Promise<T> {
    const path = target === undefined ? '/_search' : `/${target}/_search`;
    return this.send<T>({ method: 'POST', path, body: { ...parts, query } }, options);
  }

  deleteByQuery<T>(target: string, query: BoundQuery, querystring: NonNullable<Call['querystring']>, options: CallOptions): Promise<T> {
    return this.send<T>({ method: 'POST', path: `/${target}/_delete_by_query`, querystring, body: { query } }, options);
  }

  /**
   * @throws EngineUnavailableError
   * @throws ElasticsearchRefusal
   * @throws the reason of the signal
   */
  request<T>(call: Call, options: CallOptions = {}): Promise<T> {
    if (TAKES_A_QUERY.test(call.path)) throw new Error(`${call.path} takes a query, which belongs to a tenant`);
    return this.send<T>(call, options);
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  private async send<T>(call: Call, { signal, timeoutMs = this.settings.timeoutMs, tries = TRIES }: CallOptions): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      const leftMs = Math.ceil(deadline - performance.now());
      try {
        return await this.sendOnce<T>(call, signal, Math.max(leftMs, 1));
      } catch (error) {
        signal?.throwIfAborted();
        if (this.isOlderServer(error)) {
          this.speaksVersion8 = true;
          continue;
        }
        const pauseMs = backoffMs(attempt);
        if (attempt >= tries || !mayComeBack(error) || performance.now() + pauseMs >= deadline) throw errorOf(error);
        await wait(pauseMs, undefined, { signal });
      }
    }
  }

  private async sendOnce<T>(
    { method, path, querystring, body, lines }: Call,
    signal: AbortSignal | undefined,
    timeoutMs: number,
  ): Promise<T> {
    const sent = lines ? { bulkBody: [...lines] } : body && { body };
    const contentType = sent && { 'content-type': version8(lines ? 'x-ndjson' : 'json') };
    return (await this.client.transport.request(
      { method, path, ...(querystring && { querystring }), ...sent },
      {
        requestTimeout: timeoutMs,
        ...(signal && { signal }),
        ...(this.speaksVersion8 && { headers: { accept: version8('json'), ...contentType } }),
      },
    )) as T;
  }

  private isOlderServer(error: unknown): boolean {
    return (
      error instanceof errors.ResponseError &&
      error.statusCode === 400 &&
      typeOf(error) === 'media_type_header_exception' &&
      !this.speaksVersion8
    );
  }
}

/** What a server of version 8 has to be told: it refuses what says that it is meant for 9. */
const version8 = (of: 'json' | 'x-ndjson') => `application/vnd.elasticsearch+${of}; compatible-with=8`;

function optionsOf({ url, apiKey, username, password, ca }: ElasticsearchSettings): ClientOptions {
  return {
    node: url,
    // Tried again here, where it is known what may be done twice and how much time there is.
    maxRetries: 0,
    ...(apiKey !== undefined ? { auth: { apiKey } } : username !== undefined && { auth: { username, password: password ?? '' } }),
    ...(ca !== undefined && { tls: { ca } }),
  };
}

/** With jitter, so that instances that were refused together do not come back together. */
export const backoffMs = (attempt: number): number => FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random());

export const isBusy = (status: number): boolean => BUSY.has(status);

const typeOf = ({ body }: errors.ResponseError): string =>
  (body as { error?: { type?: string } | string } | undefined)?.error instanceof Object
    ? ((body as { error: { type?: string } }).error.type ?? '')
    : '';

/** A server that restarts, or has no room. One that did not answer in time has had the whole time already. */
const mayComeBack = (error: unknown): boolean =>
  error instanceof errors.ResponseError ? isBusy(error.statusCode ?? 0) : error instanceof errors.ConnectionError;

/** No copy of any shard that was asked could answer, though the server did. */
export const isWithoutShards = (error: unknown): boolean =>
  error instanceof EngineUnavailableError && error.cause instanceof errors.ResponseError && error.cause.statusCode === 503;

function errorOf(error: unknown): Error {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0;
    const away = isBusy(status) || status === 401 || (status === 403 && typeOf(error) === 'security_exception');
    return away ? new EngineUnavailableError({ cause: error }) : new ElasticsearchRefusal(status, typeOf(error), { cause: error });
  }
  if (error instanceof errors.ElasticsearchClientError) return new EngineUnavailableError({ cause: error });
  return error as Error;
}
