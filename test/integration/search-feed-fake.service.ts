import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js';
import { ServiceTokens } from '@sky-genesis/auth';
import { InvalidArgumentError, type RuleError, SERVICE_AUTHORIZATION, toRpcStatus } from '@sky-genesis/grpc';
import {
  type Document,
  type IndexDocumentResult,
  type IndexDocumentsRequest,
  type IndexDocumentsResponse,
  loadPackage,
} from '@sky-genesis/proto';

type Call = ServerDuplexStream<IndexDocumentsRequest, IndexDocumentsResponse>;

export interface FakeDocument {
  tenant: string;
  version: number;
  /** Undefined: deleted. */
  document: Document | undefined;
}

/** Where a stream is to be cut, once. */
export type Cut = 'before taking' | 'before answering';

/** A SearchService that only the feed of mail calls: it keeps documents by version, and does what a test asks of it. */
export class FakeSearchService {
  readonly documents = new Map<string, FakeDocument>();
  /** Documents and deletions, in the order in which they came. */
  readonly taken: string[] = [];
  readonly claims: number[] = [];
  checkpoint = '';
  messages = 0;
  largestMessage = 0;
  streams = 0;
  /** What a change is refused for. */
  refuse: (id: string, tenant: string) => RuleError | undefined = () => undefined;
  /** Called when a claim comes, before it is kept. */
  onClaim: (throughMs: number) => void = () => undefined;
  answersAfterMs = 0;
  private readonly cuts: Cut[] = [];
  private readonly tokens: ServiceTokens;
  private readonly calls = new Set<Call>();
  private server: Server | undefined;

  constructor(
    readonly url: string,
    serviceKey: string,
  ) {
    this.tokens = new ServiceTokens(serviceKey);
  }

  async start(): Promise<void> {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { SearchService: ServiceClientConstructor };
    };
    const server = new Server();
    server.addService(contract.SearchService.service, { indexDocuments: (call: Call) => void this.serve(call) });
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(this.url, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    this.server = server;
  }

  /** As a kill: what is under way is not answered. */
  stop(): void {
    this.server?.forceShutdown();
    this.server = undefined;
  }

  /** The index is lost, with what was kept in it. */
  lose(): void {
    this.documents.clear();
    this.checkpoint = '';
  }

  cutNext(...cuts: Cut[]): void {
    this.cuts.push(...cuts);
  }

  ids(tenant: string): string[] {
    return [...this.documents.values()].flatMap((kept) => (kept.tenant === tenant && kept.document ? [kept.document.id] : []));
  }

  document(tenant: string, id: string): FakeDocument | undefined {
    return this.documents.get(`${tenant} ${id}`);
  }

  private async serve(call: Call): Promise<void> {
    this.streams++;
    this.calls.add(call);
    call.on('error', () => undefined);
    try {
      const [token] = call.metadata.get(SERVICE_AUTHORIZATION);
      const service = await this.tokens.verify(String(token).replace('Bearer ', ''));
      if (service !== 'mail') throw new Error(`${service} is not mail`);
      await this.readAll(call);
      call.end();
    } catch (error) {
      call.emit('error', { code: status.UNAVAILABLE, details: (error as Error).message });
    } finally {
      this.calls.delete(call);
    }
  }

  /** Not by `for await`: leaving that loop destroys the call before its status is sent. */
  private readAll(call: Call): Promise<void> {
    return new Promise((resolve, reject) => {
      let last = Promise.resolve();
      call.on('data', (message: IndexDocumentsRequest) => {
        last = last.then(() => this.take(call, message));
        last.catch(reject);
      });
      call.on('end', () => void last.then(resolve, reject));
      call.on('cancelled', resolve);
    });
  }

  private async take(call: Call, message: IndexDocumentsRequest): Promise<void> {
    this.messages++;
    this.largestMessage = Math.max(this.largestMessage, JSON.stringify(message).length);
    const cut = message.source === '' ? this.cuts.shift() : undefined;
    if (cut === 'before taking') throw new Error('cut');
    if (this.answersAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, this.answersAfterMs));
    const results = [
      ...message.requests.map(({ document, tenant, requestRef }) =>
        this.change(requestRef, tenant, document!.id, document!.version, document),
      ),
      ...message.deletions.map(({ id, tenant, version, requestRef }) => this.change(requestRef, tenant, id, version, undefined)),
    ];
    if (cut === 'before answering') throw new Error('cut');
    if (results.length > 0) call.write({ results: results.reverse(), source: '', checkpoint: '' });
    if (message.source !== '') call.write({ results: [], source: message.source, checkpoint: this.claim(message) });
  }

  private claim({ checkpoint, throughMs }: IndexDocumentsRequest): string {
    if (checkpoint === '') return this.checkpoint;
    this.claims.push(Number(throughMs));
    this.onClaim(Number(throughMs));
    this.checkpoint = checkpoint;
    return checkpoint;
  }

  private change(
    requestRef: string,
    tenant: string,
    id: string,
    versionText: string,
    document: Document | undefined | null,
  ): IndexDocumentResult {
    const version = Number(versionText);
    const refused = this.refuse(id, tenant) ?? (version > 0 ? undefined : new InvalidArgumentError([]));
    if (refused) return { requestRef, failure: toRpcStatus(refused) as never };
    this.taken.push(id);
    const known = this.document(tenant, id);
    if (known && known.version >= version) return { requestRef, response: { id, status: 'unchanged' } };
    this.documents.set(`${tenant} ${id}`, { tenant, version, document: document ?? undefined });
    return { requestRef, response: { id, status: known ? 'updated' : 'created' } };
  }
}
