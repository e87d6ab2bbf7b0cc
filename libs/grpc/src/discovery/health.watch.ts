import { type ChannelCredentials, Client, type MethodDefinition, type ServiceDefinition, status, type StatusObject } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { Backoff } from './backoff';

/** A process that hangs is noticed after both, at most. */
const PROBE_EVERY_MS = 2000;
const PROBE_TIMEOUT_MS = 2000;
/** Until its first answer an instance is neither well nor ill, for this long. */
const FIRST_ANSWER_MS = 1000;
/** The same, where it has answered before: its connection broke, or was at the end of its age. */
const NEXT_ANSWER_MS = 250;
/** The longest wait on one connection: a host that is gone does not refuse. */
const ATTEMPT_MS = 5000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 2000;
/** A Watch that ends sooner than this was refused. */
const LASTING_MS = 1000;

export type Health = 'unknown' | 'serving' | 'down';

type WatchMethod = MethodDefinition<{ service: string }, { status: string }>;

/**
 * What grpc.health.v1 of one instance says of a service, from now until `close()`. On a connection of its own, probed fast
 * by PINGs, so that a process that hangs is told from one that has nothing to say. A server without health is well.
 */
export class HealthWatch {
  /** 'unknown' only before the first answer. */
  state: Health = 'unknown';
  private readonly backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS);
  private readonly ending = new AbortController();
  private client: Client | undefined;

  /** @param onChange told each time that `state` has changed */
  constructor(
    private readonly target: string,
    private readonly credentials: ChannelCredentials,
    private readonly service: string,
    private readonly onChange: () => void,
  ) {
    void this.run();
  }

  close(): void {
    this.ending.abort();
    this.client?.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      const openedAt = Date.now();
      const answered = await this.watch();
      if (!answered) {
        this.become('down');
        this.client?.close();
        this.client = undefined;
      }
      if (answered && Date.now() - openedAt > LASTING_MS) this.backoff.reset();
      else await this.backoff.wait(signal);
    }
  }

  /** One Watch, to its end. @returns whether it was answered */
  private watch(): Promise<boolean> {
    const { path, requestSerialize, responseDeserialize } = (loadPackage()['grpc.health.v1.Health'] as ServiceDefinition)
      .Watch as WatchMethod;
    const { signal } = this.ending;
    return new Promise((resolve) => {
      let answered = false;
      const call = this.connected().makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: this.service });
      const cancel = () => call.cancel();
      const late = setTimeout(() => this.become('down'), this.state === 'unknown' ? FIRST_ANSWER_MS : NEXT_ANSWER_MS);
      const hopeless = setTimeout(cancel, ATTEMPT_MS);
      const answer = (health: Health) => {
        answered = true;
        clearTimeout(late);
        clearTimeout(hopeless);
        this.become(health);
      };
      call.on('data', (health: { status: string }) => answer(health.status === 'SERVING' ? 'serving' : 'down'));
      // Its status tells the same.
      call.on('error', () => undefined);
      call.once('status', ({ code }: StatusObject) => {
        if (code === status.UNIMPLEMENTED) answer('serving');
        clearTimeout(late);
        clearTimeout(hopeless);
        signal.removeEventListener('abort', cancel);
        resolve(answered);
      });
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  private connected(): Client {
    return (this.client ??= new Client(this.target, this.credentials, {
      'grpc.keepalive_time_ms': PROBE_EVERY_MS,
      'grpc.keepalive_timeout_ms': PROBE_TIMEOUT_MS,
      'grpc.keepalive_permit_without_calls': 1,
      'grpc.initial_reconnect_backoff_ms': FIRST_RETRY_MS,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
    }));
  }

  private become(state: Health): void {
    if (state === this.state || this.ending.signal.aborted) return;
    this.state = state;
    this.onChange();
  }
}
