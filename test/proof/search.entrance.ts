/** What GET /api/v1/search is asked for; the names are those of its parameters. */
export interface SearchQuestion {
  q?: string;
  filter?: readonly string[];
  kind?: string;
  limit?: number;
  sort?: string;
  page_token?: string;
}

export interface FoundDocument {
  id: string;
  attributes: Record<string, string[]>;
}

/** As far as it is looked at here. */
export interface SearchPage {
  results: FoundDocument[];
  total_count: number;
  next_page_token?: string;
  indexed_through_ms: number;
  degraded?: boolean;
  degraded_reason?: string;
}

export type SearchReply =
  | { kind: 'page'; page: SearchPage }
  /** `reason`: the product's own word, or the system's where nobody answered. */
  | { kind: 'refused'; status: number; reason: string; retryAfter: boolean };

const TIMEOUT_MS = 20_000;

/** Search of one tenant, through the gateway. */
export class SearchEntrance {
  /** @param timeoutSeconds what the server is given for an answer */
  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly timeoutSeconds: number,
  ) {}

  /** Never rejects. */
  async ask(question: SearchQuestion): Promise<SearchReply> {
    try {
      const answer = await fetch(`${this.url}/api/v1/search?${parametersOf(question)}`, {
        headers: { authorization: `Bearer ${this.token}`, 'request-timeout': String(this.timeoutSeconds) },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const body = (await answer.json()) as Record<string, unknown>;
      if (answer.status === 200) return { kind: 'page', page: body as unknown as SearchPage };
      const retryAfter = Number(answer.headers.get('retry-after')) >= 1;
      return { kind: 'refused', status: answer.status, reason: String(body['code'] ?? answer.status), retryAfter };
    } catch (error) {
      const { cause, name } = error as Error;
      return { kind: 'refused', status: 0, reason: (cause as NodeJS.ErrnoException | undefined)?.code ?? name, retryAfter: false };
    }
  }
}

function parametersOf({ filter = [], ...others }: SearchQuestion): string {
  const parameters = new URLSearchParams(filter.map((value): [string, string] => ['filter', value]));
  for (const [name, value] of Object.entries(others)) if (value !== undefined) parameters.append(name, String(value));
  return parameters.toString();
}
