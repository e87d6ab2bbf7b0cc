import { type Client, type ClientReadableStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fromServiceError, type RuleError } from '@sky-genesis/grpc';
import { type EmailEvent, loadPackage, type WatchEventsResponse } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import { token } from './test-system';

interface WatchRequest {
  after?: string;
  types?: string[];
  messageId?: string;
}

type WatchClient = Client & { watchEvents(request: WatchRequest, metadata: Metadata): ClientReadableStream<WatchEventsResponse> };

/** One WatchEvents call, on a connection of its own. */
export class EventWatcher {
  readonly batches: WatchEventsResponse[] = [];
  error: RuleError | undefined;
  private readonly client: WatchClient;
  private readonly stream: ClientReadableStream<WatchEventsResponse>;

  constructor(grpcUrl: string, request: WatchRequest = {}, bearer = token()) {
    const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
      sky_genesis: { MailService: new (address: string, secure: unknown, options: object) => WatchClient };
    };
    this.client = new contract.MailService(grpcUrl, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${bearer}`);
    this.stream = this.client.watchEvents(request, metadata);
    this.stream.on('data', (batch: WatchEventsResponse) => this.batches.push(batch));
    this.stream.on('error', (error: ServiceError) => (this.error = fromServiceError(error)));
  }

  /** One that has been answered. */
  static async opened(grpcUrl: string, request: WatchRequest = {}, bearer = token()): Promise<EventWatcher> {
    const watcher = new EventWatcher(grpcUrl, request, bearer);
    await eventually(() => watcher.batches.length > 0 || watcher.error !== undefined, Boolean);
    return watcher;
  }

  get events(): EmailEvent[] {
    return this.batches.flatMap(({ events }) => events);
  }

  get cursors(): number[] {
    return this.events.map(({ cursor }) => Number(cursor));
  }

  /** Where to go on from. */
  get cursor(): string {
    return this.batches.at(-1)?.cursor ?? '';
  }

  until(count: number): Promise<EmailEvent[]> {
    return eventually(
      () => this.events,
      ({ length }) => length >= count || this.error !== undefined,
    );
  }

  /** What it ended with. */
  async ended(): Promise<RuleError> {
    return (await eventually(() => this.error, Boolean))!;
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  close(): void {
    this.stream.cancel();
    this.client.close();
  }
}
