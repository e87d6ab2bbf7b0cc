import { errorReasons, type ErrorReason, RuleError } from '@sky-genesis/grpc';
import type { CaseDocument, CaseToken, SearchAsked, SearchCase } from './search-cases';
import type { ChangeCase } from './search-change-cases';

/** An answer of any wire, in one form: what a wire leaves out because it is empty is here. */
export interface Outcome {
  results?: FoundResult[];
  total?: number;
  facets?: Record<string, Record<string, number>>;
  /** Whether there is a page token; the token itself is another each time, and left out where answers are compared. */
  goesOn?: boolean;
  pageToken?: string;
  /** Of a change. */
  answer?: string | boolean;
  /** Of a refusal: the reason, and the wrong fields as the wire names them. */
  reason?: string;
  fields?: string[];
  /** Of a refusal: the HTTP status, or the name of the gRPC code. */
  code?: string | number;
}

export interface FoundResult {
  id: string;
  title: string;
  content: string;
  url: string;
  score: number;
  highlights: string[];
  attributes: Record<string, string[]>;
  timestamp: number;
  kind: string;
}

export interface AskOptions {
  token: CaseToken;
  timeoutMs: number | undefined;
}

/** One way to reach search. */
export interface SearchWire {
  search(asked: SearchAsked, options: AskOptions): Promise<Outcome>;
  index(document: CaseDocument, options: AskOptions): Promise<Outcome>;
  remove(deletion: { id: string; version?: number }, options: AskOptions): Promise<Outcome>;
}

export const searchOn = (wire: SearchWire, { asked, token = 'own', timeoutMs }: SearchCase): Promise<Outcome> =>
  wire.search(asked, { token, timeoutMs });

export const changeOn = (wire: SearchWire, { index, remove, token = 'own' }: ChangeCase): Promise<Outcome> =>
  index ? wire.index(index, { token, timeoutMs: undefined }) : wire.remove(remove!, { token, timeoutMs: undefined });

/** The two answers are the same, each in the words of its wire, and as the table has it. */
export function expectSearch(each: SearchCase, byGrpc: Outcome, byRest: Outcome): void {
  expectSame(byGrpc, byRest);
  if (each.found || each.refused) expect(seenOf(each, byGrpc)).toEqual(expectedOf(each));
  if (each.highlight !== undefined) expect(byGrpc.results![0]!.highlights.join('\n')).toContain(each.highlight);
  const highlights = byGrpc.results?.flatMap((result) => result.highlights) ?? [];
  expect(highlights.join('\n')).not.toMatch(/<(?!\/?mark>)/);
}

/** As `expectSearch`. */
export function expectChange({ answer, refused }: ChangeCase, byGrpc: Outcome, byRest: Outcome): void {
  expectSame(byGrpc, byRest);
  const { reason, fields } = byGrpc;
  expect({ answer: byGrpc.answer, reason, fields: fields ?? [] }).toEqual({
    answer,
    reason: refused?.reason,
    fields: refused?.fields ?? [],
  });
}

function expectSame(byGrpc: Outcome, byRest: Outcome): void {
  const { code, reason, fields, pageToken: _, ...answer } = byGrpc;
  if (reason !== undefined) expect(code).toBe(errorReasons[reason as ErrorReason].code);
  expect({ ...byRest, pageToken: undefined }).toEqual({
    ...answer,
    ...(reason !== undefined && { reason, code: statusOf[reason] }),
    ...(fields && { fields: fields.map(restName) }),
  });
}

function expectedOf({ found = [], total = found.length, facets, refused, asked }: SearchCase): object {
  if (refused) return { reason: refused.reason, fields: refused.fields?.toSorted() ?? [] };
  return { ids: asked.sort ? found : found.toSorted(), total, ...(facets && { facets }) };
}

function seenOf({ asked, facets }: SearchCase, { reason, fields = [], results = [], total, ...more }: Outcome): object {
  if (reason !== undefined) return { reason, fields: fields.toSorted() };
  const ids = results.map(({ id }) => id);
  return { ids: asked.sort ? ids : ids.toSorted(), total, ...(facets && { facets: more.facets }) };
}

type Json = Record<string, unknown>;

interface JsonResult extends Partial<Omit<FoundResult, 'timestamp' | 'attributes'>> {
  timestamp?: string | number;
  attributes?: Record<string, string[] | { values?: string[] }>;
}

/** SearchResponse in JSON: by proto-loader, by grpcurl (`totalCount`), or by REST (`total_count`). */
export function outcomeOf(answer: Json): Outcome {
  const of = (camel: string, snake: string) => answer[camel] ?? answer[snake];
  const facets = (answer['facets'] ?? []) as { field: string; values?: { value: string; count: string | number }[] }[];
  return {
    results: ((answer['results'] ?? []) as JsonResult[]).map(resultOf),
    total: Number(of('totalCount', 'total_count') ?? 0),
    facets: Object.fromEntries(
      facets.map(({ field, values = [] }) => [field, Object.fromEntries(values.map(({ value, count }) => [value, Number(count)]))]),
    ),
    goesOn: Boolean(of('nextPageToken', 'next_page_token')),
    pageToken: String(of('nextPageToken', 'next_page_token') ?? ''),
  };
}

const resultOf = (given: JsonResult): FoundResult => ({
  id: given.id ?? '',
  title: given.title ?? '',
  content: given.content ?? '',
  url: given.url ?? '',
  score: given.score ?? 0,
  highlights: given.highlights ?? [],
  attributes: Object.fromEntries(
    Object.entries(given.attributes ?? {}).map(([name, values]) => [name, Array.isArray(values) ? values : (values.values ?? [])]),
  ),
  timestamp: Number(given.timestamp ?? 0),
  kind: given.kind ?? '',
});

/** What gRPC refused a case with. */
export function grpcRefusal(error: unknown): Outcome {
  if (!(error instanceof RuleError)) throw error;
  return { code: error.code, reason: error.reason, fields: (error.details.violations ?? []).map(({ field }) => field) };
}

/** A document as the contract's JSON has it. */
export const toContract = ({ attributes = {}, ...rest }: CaseDocument): Json => ({
  ...rest,
  attributes: Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, { values }])),
});

export interface RestRequest {
  method: string;
  path: string;
  body?: unknown;
  headers: Record<string, string>;
  token: CaseToken;
}

interface RestResponse {
  status: number;
  body: Json;
}

/** REST, whichever way its requests are sent. */
export class RestWire implements SearchWire {
  constructor(private readonly send: (request: RestRequest) => Promise<RestResponse>) {}

  async search(asked: SearchAsked, { token, timeoutMs }: AskOptions): Promise<Outcome> {
    const parameters = Object.entries(asked).flatMap(([name, given]: [string, string | number | string[]]) =>
      [given].flat().map((value) => [PARAMETERS[name as keyof SearchAsked], String(value)]),
    );
    const headers: Record<string, string> = timeoutMs === undefined ? {} : { 'request-timeout': String(timeoutMs / 1000) };
    const path = `/api/v1/search?${new URLSearchParams(parameters as [string, string][]).toString()}`;
    const answer = await this.send({ method: 'GET', path, headers, token });
    return answer.status === 200 ? outcomeOf(answer.body) : refusalOf(answer);
  }

  async index(document: CaseDocument, { token }: AskOptions): Promise<Outcome> {
    const answer = await this.send({ method: 'POST', path: '/api/v1/search/documents', body: document, headers: {}, token });
    const { status } = answer.body;
    if (![200, 201].includes(answer.status)) return refusalOf(answer);
    if ((answer.status === 201) !== (status === 'created')) throw new Error(`${answer.status} for ${String(status)}`);
    return { answer: status as string };
  }

  async remove({ id, version }: { id: string; version?: number }, { token }: AskOptions): Promise<Outcome> {
    const path = `/api/v1/search/documents/${encodeURIComponent(id)}${version === undefined ? '' : `?version=${version}`}`;
    const answer = await this.send({ method: 'DELETE', path, headers: {}, token });
    return answer.status === 200 ? { answer: answer.body['deleted'] as boolean } : refusalOf(answer);
  }
}

const PARAMETERS: Record<keyof SearchAsked, string> = {
  query: 'q',
  filters: 'filter',
  limit: 'limit',
  offset: 'offset',
  pageToken: 'page_token',
  facets: 'facet',
  sort: 'sort',
  waitForId: 'wait_for_id',
  kinds: 'kind',
};

const refusalOf = ({ status, body }: RestResponse): Outcome => ({
  code: status,
  reason: String(body['code']),
  fields: ((body['errors'] ?? []) as { field: string }[]).map(({ field }) => field),
});

/** What REST calls a field of the contract. */
const restName = (field: string): string =>
  field.replace(/^document\./, '').replace(/^(query|filters|facets|kinds)\b/, (name) => PARAMETERS[name as keyof SearchAsked]);

/** The HTTP status of a reason, as the contract's documents say. */
const statusOf: Record<string, number> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  SCOPE_MISSING: 403,
  NOT_FINDABLE_YET: 504,
};
