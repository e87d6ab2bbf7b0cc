import { fromRpcStatus } from '@sky-genesis/grpc';
import type { CaseDocument, CaseToken, SearchAsked } from '../search-cases';
import { type AskOptions, grpcRefusal, type Outcome, outcomeOf, type SearchWire, toContract } from '../search-wires';
import { grpcurlReading } from './grpcurl';

/** SearchService as grpcurl sees it, which knows nothing of it but what reflection tells. */
export class GrpcurlWire implements SearchWire {
  constructor(
    private readonly address: string,
    private readonly tokenOf: (which: CaseToken) => string | null,
  ) {}

  search(asked: SearchAsked, options: AskOptions): Promise<Outcome> {
    return this.call('Search', asked, options, outcomeOf);
  }

  index(document: CaseDocument, options: AskOptions): Promise<Outcome> {
    return this.call('IndexDocument', { document: toContract(document) }, options, ({ status }) => ({ answer: status as string }));
  }

  remove(deletion: { id: string; version?: number }, options: AskOptions): Promise<Outcome> {
    // What is false is left out.
    return this.call('DeleteDocument', deletion, options, ({ deleted }) => ({ answer: deleted === true }));
  }

  private async call(
    method: string,
    request: object,
    { token, timeoutMs }: AskOptions,
    read: (answer: Record<string, unknown>) => Outcome,
  ): Promise<Outcome> {
    const own = this.tokenOf(token);
    const authorization = own === null ? [] : ['-H', `authorization: Bearer ${own}`];
    const deadline = timeoutMs === undefined ? [] : ['-max-time', String(timeoutMs / 1000)];
    const options = [...deadline, ...authorization, '-d', '@'];
    const { code, json, message, details } = await grpcurlReading(
      JSON.stringify(request),
      ...options,
      this.address,
      `sky_genesis.SearchService/${method}`,
    );
    if (code === 0) return read(json);
    const bytes = Object.entries(details).map(([type, text]) => ({
      typeUrl: `type.googleapis.com/${type}`,
      value: Buffer.from(text, 'latin1'),
    }));
    return grpcRefusal(fromRpcStatus({ code, message, details: bytes }));
  }
}
