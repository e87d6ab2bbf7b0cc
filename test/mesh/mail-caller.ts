import { type ChannelOptions, type ClientUnaryCall, Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';

const ROUND_ROBIN = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
const bytes = (message: Buffer): Buffer => message;

/** Who answered (host:port), or the error that there was instead. */
export type Answer = { peer: string } | { error: ServiceError };

/** A channel to mail as the product makes them, and calls on it. */
export class MailCaller {
  private readonly client: Client;

  constructor(target: string, channel: ChannelOptions = {}, channelCredentials = credentials.createInsecure()) {
    this.client = new Client(target, channelCredentials, {
      'grpc.service_config': ROUND_ROBIN,
      'grpc.service_config_disable_resolution': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_retries': 0,
      ...channel,
    });
  }

  ask(timeoutMs = 2000): Promise<Answer> {
    const options = { deadline: Date.now() + timeoutMs };
    return new Promise((resolve) => {
      const path = '/sky_genesis.MailService/GetEmail';
      const call: ClientUnaryCall = this.client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), new Metadata(), options, (error) =>
        resolve(error ? { error } : { peer: call.getPeer() }),
      );
    });
  }

  /** How many of so many calls each answered, by address; errors by their code. */
  async split(calls: number, timeoutMs?: number): Promise<Record<string, number>> {
    const tally: Record<string, number> = {};
    for (const answer of await Promise.all(Array.from({ length: calls }, () => this.ask(timeoutMs)))) {
      const by = 'peer' in answer ? answer.peer : `error ${answer.error.code}`;
      tally[by] = (tally[by] ?? 0) + 1;
    }
    return tally;
  }

  /** Who answers now, sorted: asks often enough that round robin has met each. */
  async whoAnswers(): Promise<string[]> {
    return Object.keys(await this.split(12)).sort();
  }

  close(): void {
    this.client.close();
  }
}
