import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceDefinition,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { etcdEndpoint, type EtcdSettings } from './discovery.settings';

/** The longest that any call to etcd may take; a Watch has no end, but is probed. */
const CALL_TIMEOUT_MS = 3000;
/** etcd ends connections that are probed more often than each 5 s (--grpc-keepalive-min-time). */
const PROBE_EVERY_MS = 6000;
const PROBE_TIMEOUT_MS = 3000;

interface KeyValue {
  key: Buffer;
  value: Buffer;
}

interface WatchResponse {
  canceled: boolean;
  compactRevision: string;
  cancelReason: string;
  events: { type: 'PUT' | 'DELETE'; kv: KeyValue }[];
}

/** What happened to one key; without a value it was deleted. */
export interface KeyChange {
  key: string;
  value?: string;
}

/**
 * The little of etcd's v3 API that discovery needs. One connection at a time: when a call fails for want of it, the next
 * call goes to the next endpoint, on a new connection and with the certificates that are on disk then.
 */
export class EtcdClient {
  private readonly methods = loadMethods();
  private endpoint = 0;
  private client: Client | undefined;
  private token: Promise<string | undefined> | undefined;

  constructor(private readonly settings: EtcdSettings) {}

  /**
   * All keys with the prefix, and the revision at which that is so.
   * @throws ServiceError, as all calls here
   */
  async list(prefix: string): Promise<{ values: Map<string, string>; revision: bigint }> {
    const { header, kvs } = await this.call<{ header: { revision: string }; kvs: KeyValue[] }>('KV/Range', rangeOf(prefix));
    return { values: new Map(kvs.map(({ key, value }) => [key.toString(), value.toString()])), revision: BigInt(header.revision) };
  }

  /** The key lives as long as the lease. */
  async put(key: string, value: string, lease: string): Promise<void> {
    await this.call('KV/Put', { key: Buffer.from(key), value: Buffer.from(value), lease });
  }

  /** @returns the id of the lease */
  async grantLease(ttlSeconds: number): Promise<string> {
    const { ID } = await this.call<{ ID: string }>('Lease/LeaseGrant', { TTL: ttlSeconds });
    return ID;
  }

  /** @returns the seconds for which it lives on; 0: it is no more */
  async keepAlive(lease: string): Promise<number> {
    const { TTL } = await this.call<{ TTL: string }>('Lease/LeaseKeepAlive', { ID: lease });
    return Number(TTL);
  }

  /** Deletes the keys that live by it. */
  async revokeLease(lease: string): Promise<void> {
    await this.call('Lease/LeaseRevoke', { ID: lease });
  }

  /**
   * The changes of keys with the prefix, in order, from that revision on. Has no end of its own: it ends without an error
   * only when the signal aborts.
   * @throws where etcd is away or silent, where the revision is compacted: whoever watches lists again
   */
  async *watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncGenerator<KeyChange[], void, undefined> {
    const token = await this.authenticated();
    const client = this.connected();
    const stream = this.openWatch(client, token);
    const cancel = () => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      stream.write({ createRequest: { ...rangeOf(prefix), startRevision: fromRevision.toString() } });
      if (signal.aborted) cancel();
      for await (const response of stream) yield changesIn(response as WatchResponse);
      throw new Error('the watch was ended');
    } catch (error) {
      if (signal.aborted) return;
      this.leaveIfLost(client, error);
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
      cancel();
    }
  }

  /** Nothing is called any more. */
  close(): void {
    this.client?.close();
    this.client = undefined;
  }

  private openWatch(client: Client, token: string | undefined): ClientDuplexStream<object, WatchResponse> {
    const { path, requestSerialize, responseDeserialize } = this.method('Watch/Watch');
    const metadata = metadataWith(token);
    // A member that lost the others ends the watch, instead of being silent for ever.
    metadata.set('hasleader', 'true');
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize as (bytes: Buffer) => WatchResponse, metadata);
    // The status of a stream that was left comes as an 'error', too, when nobody listens any more.
    stream.on('error', () => undefined);
    return stream;
  }

  private async call<Answer>(method: string, request: object): Promise<Answer> {
    const token = this.authenticated();
    try {
      return await this.unary<Answer>(method, request, await token);
    } catch (error) {
      if (!isTokenRefused(error as ServiceError) || !this.settings.ETCD_USERNAME) throw error;
      if (this.token === token) this.token = undefined;
      return this.unary<Answer>(method, request, await this.authenticated());
    }
  }

  /** The token of the user in the settings, asked for once until it is refused. */
  private authenticated(): Promise<string | undefined> {
    const { ETCD_USERNAME: name, ETCD_PASSWORD: password } = this.settings;
    if (name === undefined) return Promise.resolve(undefined);
    return (this.token ??= this.unary<{ token: string }>('Auth/Authenticate', { name, password }).then(
      ({ token }) => token,
      (error: ServiceError) => {
        this.token = undefined;
        // Authentication is off, as in an etcd that was wiped: who asks without a token is served.
        if (error.code === status.FAILED_PRECONDITION) return undefined;
        throw error;
      },
    ));
  }

  private unary<Answer>(name: string, request: object, token?: string): Promise<Answer> {
    const { path, requestSerialize, responseDeserialize } = this.method(name);
    return new Promise((resolve, reject) => {
      const client = this.connected();
      const options = { deadline: Date.now() + CALL_TIMEOUT_MS };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadataWith(token), options, (error, answer) => {
        if (!error) return resolve(answer as Answer);
        this.leaveIfLost(client, error);
        reject(error);
      });
    });
  }

  private method(name: string): MethodDefinition<object, object> {
    const [service, method] = name.split('/') as [string, string];
    return (this.methods[`etcdserverpb.${service}`] as ServiceDefinition)[method] as MethodDefinition<object, object>;
  }

  private connected(): Client {
    return (this.client ??= new Client(...this.target(), {
      'grpc.keepalive_time_ms': PROBE_EVERY_MS,
      'grpc.keepalive_timeout_ms': PROBE_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      // Of its own: a connection that hangs is not taken up again.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
    }));
  }

  private target(): [string, ChannelCredentials] {
    const endpoints = this.settings.ETCD_ENDPOINTS;
    const { ETCD_TLS_CA: ca, ETCD_TLS_CERT: certificate, ETCD_TLS_KEY: key } = this.settings;
    const { address, secure } = etcdEndpoint(endpoints[this.endpoint % endpoints.length]!, this.settings);
    if (!secure) return [address, credentials.createInsecure()];
    const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
    return [address, credentials.createSsl(read(ca), read(key), read(certificate))];
  }

  private leaveIfLost(client: Client, error: unknown): void {
    const { code } = error as Partial<ServiceError>;
    if (client !== this.client || (code !== status.UNAVAILABLE && code !== status.DEADLINE_EXCEEDED)) return;
    this.close();
    this.endpoint += 1;
    // An etcd that was wiped does not refuse a token from before: it waits until it has counted as far.
    this.token = undefined;
  }
}

function changesIn({ canceled, compactRevision, cancelReason, events }: WatchResponse): KeyChange[] {
  if (compactRevision !== '0') throw new Error(`the history before revision ${compactRevision} is gone`);
  if (canceled) throw new Error(`the watch was refused: ${cancelReason}`);
  return events.map(({ type, kv }) => ({ key: kv.key.toString(), ...(type === 'PUT' && { value: kv.value.toString() }) }));
}

/** etcd tells in three ways that it wants another token: it has restarted, authentication was turned on, or users have changed. */
function isTokenRefused({ code, details }: ServiceError): boolean {
  if (code === status.UNAUTHENTICATED) return true;
  return code === status.INVALID_ARGUMENT && /user name is empty|revision of auth store is old/.test(details);
}

function metadataWith(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set('token', token);
  return metadata;
}

/** The end of the range is the prefix with its last byte counted up: prefixes here end in a slash. */
function rangeOf(prefix: string): { key: Buffer; rangeEnd: Buffer } {
  const rangeEnd = Buffer.from(prefix);
  rangeEnd[rangeEnd.length - 1]! += 1;
  return { key: Buffer.from(prefix), rangeEnd };
}

const loadMethods = (): PackageDefinition =>
  loadSync(join(__dirname, '../../etcd/etcd.proto'), { longs: String, enums: String, defaults: true, arrays: true });
