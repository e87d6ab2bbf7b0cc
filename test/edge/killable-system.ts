import { runMigrations } from '@sky-genesis/database';
import { readGatewayConfig } from '../../apps/api-gateway/src/gateway.config';
import { startGateway } from '../../apps/api-gateway/src/start-gateway';
import { mailDatabase } from '../../apps/mail/src/database/mail-database';
import { readMailConfig } from '../../apps/mail/src/mail.config';
import { freePort } from '../free-port';
import { MailProcess } from '../integration/mail-process';
import { createDatabase, type TestDatabase } from '../integration/test-database';
import { TestRelay } from '../integration/test-relay';
import { mailEnvironment } from '../integration/test-system';
import { type Behind, TestEdge } from './test-edge';

/** Mail in a process of its own, which can be killed, frozen and started again at its address; a gateway, and a real edge in front of both. */
export class KillableSystem {
  private constructor(
    readonly edge: TestEdge,
    readonly behind: Partial<Behind>,
    readonly database: TestDatabase,
    public mail: MailProcess,
    private readonly environment: Record<string, string>,
    private readonly closers: (() => Promise<unknown>)[],
  ) {}

  static async start(settings: { edge?: Record<string, string>; apps?: Record<string, string> } = {}): Promise<KillableSystem> {
    const database = await createDatabase();
    const relay = new TestRelay(await freePort());
    await relay.start();
    const environment = await mailEnvironment(database, relay, settings.apps);
    await runMigrations(mailDatabase(readMailConfig(environment)));
    const mail = await MailProcess.start(environment);
    const gateway = await startGateway(readGatewayConfig({ ...environment, HTTP_PORT: '0', GRPC_MAIL_SERVICE_ADDR: mail.grpcUrl }));
    const behind = { gateway: new URL(gateway.url).host, mail: mail.grpcUrl };
    const edge = await TestEdge.start(behind, settings.edge);
    const closers = [() => edge.remove(), () => gateway.close(), () => relay.stop(), () => database.drop()];
    return new KillableSystem(edge, behind, database, mail, environment, closers);
  }

  /** A new process of mail, at the address of the one before. */
  async startMail(): Promise<void> {
    this.mail = await MailProcess.start(this.environment);
  }

  async stop(): Promise<void> {
    await this.mail.kill('SIGKILL');
    for (const close of this.closers) await close();
  }

  /** How many calls of a method mail has seen given up by their callers. */
  async cancelledCalls(method: string): Promise<number> {
    const metrics = await (await fetch(`${this.mail.healthUrl}/metrics`)).text();
    const [, count] =
      new RegExp(`^grpc_responses_total\\{[^}]*grpc_method="${method}"[^}]*grpc_code="CANCELLED"[^}]*\\} (\\d+)`, 'm').exec(metrics) ?? [];
    return Number(count ?? 0);
  }
}
