import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import type { ServiceError } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { type Pair, TestAuthority } from '../../../../test/test-authority';
import { call, recordLog, TestFiles, TlsServer, tlsClient } from './tls-loopback.fixture';

const [first, second] = [new TestAuthority('First CA'), new TestAuthority('Second CA')];

let files: { mail: TestFiles; gateway: TestFiles };
let server: TlsServer;
let log: string[];
let load: Load;
beforeEach(async () => {
  log = recordLog();
  files = {
    mail: new TestFiles(first.issueFor('mail'), first.certificate),
    gateway: new TestFiles(first.issueFor('api-gateway'), first.certificate),
  };
  server = await TlsServer.start({ files: files.mail });
  load = new Load();
});
afterEach(async () => {
  await load.stop();
  server.close();
  for (const side of Object.values(files)) side.close();
  Logger.overrideLogger(false);
});

/** Calls on standing connections and on new ones, until it is stopped; tells how many there were, and what failed. */
class Load {
  private stopping = false;
  private calls = 0;
  private readonly failed: string[] = [];
  private readonly running = [this.standing(), this.fresh(), this.fresh()];

  /** Until so many more calls have ended. */
  async more(calls: number): Promise<void> {
    const until = this.calls + calls;
    while (this.calls < until && !this.stopping) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<{ calls: number; failed: string[] }> {
    this.stopping = true;
    await Promise.all(this.running);
    return { calls: this.calls, failed: this.failed };
  }

  private count(error: ServiceError | undefined): void {
    this.calls += 1;
    if (error) this.failed.push(error.message);
  }

  private async standing(): Promise<void> {
    const client = tlsClient(server.address, files.gateway);
    while (!this.stopping) this.count(await call(client));
    client.close();
  }

  private async fresh(): Promise<void> {
    while (!this.stopping) {
      const client = tlsClient(server.address, files.gateway);
      this.count(await call(client));
      client.close();
    }
  }
}

/** The serial number of the certificate that a new connection is shown. */
async function shown(): Promise<string> {
  const [host, port] = server.address.split(':');
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { serialNumber } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return serialNumber;
}
const serialOf = ({ cert }: Pair) => new X509Certificate(cert).serialNumber;

test('the CA and every pair follow one another under load: no call fails', async () => {
  const bundle = first.certificate + second.certificate;
  const pairs = { mail: second.issueFor('mail'), gateway: second.issueFor('api-gateway') };
  const steps = [
    () => files.mail.write({ ca: bundle }),
    () => files.gateway.write({ ca: bundle }),
    () => files.mail.write(pairs.mail),
    () => files.gateway.write(pairs.gateway),
    () => files.mail.write({ ca: second.certificate }),
    () => files.gateway.write({ ca: second.certificate }),
  ];
  for (const step of steps) {
    await load.more(30);
    step();
    for (const side of Object.values(files)) side.opened.look();
  }
  await load.more(30);
  const { calls, failed } = await load.stop();
  expect(failed).toEqual([]);
  expect(calls).toBeGreaterThanOrEqual(210);
  expect([await shown(), log.filter((line) => line.startsWith('error '))]).toEqual([serialOf(pairs.mail), []]);
  // Whom only the first CA has signed is out now.
  const old = new TestFiles(first.issueFor('api-gateway'), bundle);
  const client = tlsClient(server.address, old);
  expect(await call(client)).toBeDefined();
  client.close();
  old.close();
});

test.each<[string, (side: TestFiles) => void]>([
  ['garbage over the key', (side) => side.write({ key: 'garbage' })],
  ['garbage over the CAs', (side) => side.write({ ca: 'garbage' })],
  ['a new certificate, its key not there yet', (side) => side.write({ cert: first.issueFor('mail').cert })],
])('%s, on both sides, under load: no call fails; once mended the new pair is used', async (_what, harm) => {
  const before = await shown();
  await load.more(30);
  for (const side of Object.values(files)) {
    harm(side);
    side.opened.look();
    expect(side.opened.broken).toBe(true);
  }
  await load.more(60);
  expect(await shown()).toBe(before);
  const pair = first.issueFor('mail');
  files.mail.write({ ...pair, ca: first.certificate });
  files.gateway.write({ ...first.issueFor('api-gateway'), ca: first.certificate });
  for (const side of Object.values(files)) side.opened.look();
  await load.more(30);
  expect((await load.stop()).failed).toEqual([]);
  expect(await shown()).toBe(serialOf(pair));
  expect(Object.values(files).map(({ opened }) => opened.broken)).toEqual([false, false]);
});
