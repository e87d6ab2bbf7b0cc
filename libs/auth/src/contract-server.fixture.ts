import { once } from 'node:events';
import {
  type ChannelCredentials,
  Client,
  credentials,
  type Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceDefinition,
  type ServiceError,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { type CallContext, callContext, callContextInterceptor } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';
import { HealthImplementation } from 'grpc-health-check';

/** What a handler of the server saw. */
export interface Handled {
  path: string;
  context: CallContext | undefined;
  /** Messages of the request that it read. */
  messages: number;
}

export interface Secured {
  ofServer: ServerCredentials;
  ofClient: ChannelCredentials;
}

type Method = MethodDefinition<object, object>;
type Stream = NodeJS.ReadableStream & { write(message: object): boolean; end(): void };
type Respond = (error: null, response: object) => void;

/** Every service of the contract, with handlers that note what they see and answer with an empty message. */
export class ContractServer {
  readonly handled: Handled[] = [];
  private readonly methods = new Map<string, Method>();

  private constructor(
    private readonly server: Server,
    private readonly client: Client,
  ) {}

  /**
   * @param isTrusted whether its peers, on loopback, are believed what they say of a call
   * @param secured the credentials of both sides; plaintext where they are left out
   */
  static async start(interceptors: readonly ServerInterceptor[], isTrusted = false, secured?: Secured): Promise<ContractServer> {
    const { ofServer, ofClient } = secured ?? { ofServer: ServerCredentials.createInsecure(), ofClient: credentials.createInsecure() };
    const limits = { maxMessageBytes: 65_536, timeoutMs: 10_000 };
    const server = new Server({ interceptors: [callContextInterceptor(limits, () => isTrusted), ...interceptors] });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ofServer, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    const started = new ContractServer(server, new Client(`127.0.0.1:${port}`, ofClient));
    for (const [name, entry] of Object.entries(loadPackage())) {
      if (name.startsWith('sky_genesis.') && !('format' in entry)) started.add(entry as ServiceDefinition);
    }
    new HealthImplementation({ '': 'SERVING' }).addToServer(server);
    new ReflectionService(loadPackage()).addToServer(server);
    return started;
  }

  /** Calls a unary or a streaming RPC with one empty message; the status is thrown if it is not OK. */
  async call(path: string, metadata: Metadata): Promise<void> {
    const { requestSerialize, responseDeserialize, requestStream, responseStream } = this.methods.get(path) ?? untyped;
    if (!requestStream && !responseStream) {
      await new Promise((resolve, reject) =>
        this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, metadata, (error, answer) =>
          error ? reject(error) : resolve(answer),
        ),
      );
      return;
    }
    const call = this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    const failed = once(call, 'error') as Promise<[ServiceError]>;
    const ended = once(call, 'status') as Promise<[{ code: number }]>;
    call.write({});
    call.end();
    call.resume();
    const [status] = await Promise.race([failed, ended]);
    if (status.code !== 0) throw Object.assign(new Error('the call failed'), status);
  }

  close(): void {
    this.client.close();
    this.server.forceShutdown();
  }

  private add(service: ServiceDefinition): void {
    const handlers: UntypedServiceImplementation = {};
    for (const [name, method] of Object.entries(service)) {
      this.methods.set(method.path, method);
      handlers[name] = (call: Stream, respond?: Respond) => this.handle(method, call, respond);
    }
    this.server.addService(service, handlers);
  }

  private handle({ path, requestStream, responseStream }: Method, call: Stream, respond?: Respond): void {
    const seen: Handled = { path, context: callContext.getStore(), messages: requestStream ? 0 : 1 };
    this.handled.push(seen);
    const answer = () => (responseStream ? call.end() : respond?.(null, {}));
    if (!requestStream) answer();
    else call.on('data', () => (seen.messages += 1)).on('end', answer);
  }
}

/** Health and reflection, whose messages nobody looks at. */
const untyped = { requestSerialize: () => Buffer.alloc(0), responseDeserialize: () => ({}), requestStream: false, responseStream: false };
