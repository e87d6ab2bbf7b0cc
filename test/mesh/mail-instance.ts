import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Server, ServerCredentials, ServerInterceptingCall, type ServerInterceptor, type ServiceDefinition } from '@grpc/grpc-js';
import { loadPackage } from '@sky-genesis/proto';
import { HealthImplementation } from 'grpc-health-check';
import { freePort } from '../free-port';

const MAIL = 'sky_genesis.MailService';

/** An instance of mail that answers GetEmail, and tells its health if it is to have any. */
export class MailInstance {
  /** How often somebody began to watch its health. */
  healthWatches = 0;
  private readonly health = new HealthImplementation({ [MAIL]: 'SERVING' });

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async started({ withHealth = true, credentials = ServerCredentials.createInsecure(), port = 0 } = {}): Promise<MailInstance> {
    const interceptor: ServerInterceptor = ({ path }, call) => {
      if (path === '/grpc.health.v1.Health/Watch') instance.healthWatches += 1;
      return new ServerInterceptingCall(call);
    };
    const server = new Server({ interceptors: [interceptor] });
    const address = `127.0.0.1:${port || (await freePort())}`;
    server.addService(loadPackage()[MAIL] as ServiceDefinition, {
      getEmail: (_call: unknown, answer: (error: null, response: object) => void) => answer(null, {}),
    });
    const instance = new MailInstance(server, address);
    if (withHealth) instance.health.addToServer(server);
    await new Promise<void>((resolve, reject) => server.bindAsync(address, credentials, (error) => (error ? reject(error) : resolve())));
    return instance;
  }

  setServing(serving: boolean): void {
    this.health.setStatus(MAIL, serving ? 'SERVING' : 'NOT_SERVING');
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

/** The same in a process of its own, which can be frozen and killed. */
export class MailInstanceProcess {
  private constructor(
    readonly address: string,
    private readonly process: ChildProcess,
  ) {}

  static async started(): Promise<MailInstanceProcess> {
    const port = await freePort();
    const child = spawn(process.execPath, [join(__dirname, 'mail-instance-process.cjs'), String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return new MailInstanceProcess(`127.0.0.1:${port}`, child);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const exit = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exit;
  }
}
