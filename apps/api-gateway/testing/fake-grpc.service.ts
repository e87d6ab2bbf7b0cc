import type { EventEmitter } from 'node:events';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { toStatus } from '@sky-genesis/grpc';
import { loadPackage } from '@sky-genesis/proto';

export type Answer<Request, Response> = (request: Request, call: ReceivedCall) => Partial<Response> | Promise<Partial<Response>>;

export interface ReceivedCall {
  method: string;
  request: unknown;
  metadata: Metadata;
  deadline: Date;
  /** Settles when the client cancels. */
  cancelled: Promise<void>;
}

type Stream = ServerWritableStream<any, any> | ServerReadableStream<any, any> | ServerDuplexStream<any, any>;

/** A fake of a service, for the gateway's tests: grpc-js on a free port of loopback, answering what a test says. */
export abstract class FakeGrpcService {
  readonly calls: ReceivedCall[] = [];
  serving = true;
  address = '';
  private readonly server = new Server();
  private readonly waiting: (() => void)[] = [];

  /** @param service as in the contract, such as MailService */
  constructor(private readonly service: string) {}

  /** What the service answers, by the contract's name of the RPC. */
  protected abstract handlers(): UntypedServiceImplementation;

  /** @param beside fakes of services that are served at the same address */
  async start(...beside: FakeGrpcService[]): Promise<void> {
    const definition = loadPackage();
    for (const each of [this, ...beside]) {
      this.server.addService(definition[`sky_genesis.${each.service}`] as ServiceDefinition, each.handlers());
    }
    this.server.addService(definition['grpc.health.v1.Health'] as ServiceDefinition, {
      Check: (_call: unknown, done: (error: null, response: object) => void) =>
        done(null, { status: this.serving ? 'SERVING' : 'NOT_SERVING' }),
    });
    const port = await new Promise<number>((resolve, reject) =>
      this.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    this.address = `127.0.0.1:${port}`;
  }

  stop(): void {
    this.server.forceShutdown();
  }

  /** The call last received. */
  get last(): ReceivedCall {
    const call = this.calls.at(-1);
    if (!call) throw new Error('no call was received');
    return call;
  }

  /** Settles when the next call is received. */
  nextCall(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /** @param answerer gives what a test says by then */
  protected unary(method: string, answerer: () => Answer<any, any>) {
    return (call: ServerUnaryCall<unknown, unknown>, done: (error: object | null, response?: unknown) => void) => {
      const received = this.receive(method, call, call.request);
      Promise.resolve()
        .then(() => answerer()(call.request, received))
        .then((response) => done(null, response))
        .catch((error: unknown) => done(toStatus(error)));
    };
  }

  /** As `unary`. */
  protected stream<Call extends Stream>(method: string, answerer: () => (call: Call) => void) {
    return (call: Call) => {
      this.receive(method, call, 'request' in call ? call.request : undefined);
      answerer()(call);
    };
  }

  protected receive(method: string, call: ServerUnaryCall<unknown, unknown> | Stream, request: unknown): ReceivedCall {
    const cancelled = new Promise<void>((resolve) => (call as EventEmitter).on('cancelled', () => resolve()));
    const received = { method, request, metadata: call.metadata, deadline: new Date(call.getDeadline()), cancelled };
    this.calls.push(received);
    this.waiting.splice(0).forEach((tell) => tell());
    return received;
  }
}
