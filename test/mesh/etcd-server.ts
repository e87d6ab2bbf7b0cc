import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually';
import { freePort } from '../free-port';
import { etcdPath } from '../system/provisioned';

/** PEM files that etcd serves TLS by; clients need a certificate of the same authority. */
export interface EtcdTls {
  caPath: string;
  certificatePath: string;
  keyPath: string;
}

interface StoredKey {
  key: string;
  value: string;
  lease?: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (encoded: string): string => Buffer.from(encoded, 'base64').toString();

/** A real etcd of one member, in a folder of its own and on free ports of loopback, which can be done harm to. */
export class EtcdServer {
  private process: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'sge-etcd-'));

  private constructor(
    readonly port: number,
    private readonly peerPort: number,
    private readonly tls: EtcdTls | undefined,
  ) {}

  static async started({ tls }: { tls?: EtcdTls } = {}): Promise<EtcdServer> {
    const server = new EtcdServer(await freePort(), await freePort(), tls);
    await server.start();
    return server;
  }

  /** As ETCD_ENDPOINTS takes it. */
  get url(): string {
    return `${this.tls ? 'https' : 'http'}://localhost:${this.port}`;
  }

  /** Again, with what it has stored. */
  async start(): Promise<void> {
    const peer = `http://127.0.0.1:${this.peerPort}`;
    const listen = `${this.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`;
    const { tls } = this;
    const options = {
      'data-dir': join(this.folder, 'data'),
      name: 'e1',
      'listen-client-urls': listen,
      'advertise-client-urls': listen,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': `e1=${peer}`,
      // A single member need not wait long for others before it leads.
      'heartbeat-interval': '20',
      'election-timeout': '200',
      'enable-v2': 'false',
      logger: 'zap',
      ...(tls && { 'cert-file': tls.certificatePath, 'key-file': tls.keyPath, 'trusted-ca-file': tls.caPath, 'client-cert-auth': 'true' }),
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.process = spawn(etcdPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    await this.ready(this.process);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = this.process;
    this.process = undefined;
    if (!ended || ended.exitCode !== null || ended.signalCode !== null) return;
    const exit = once(ended, 'exit');
    ended.kill(signal);
    await exit;
  }

  freeze(): void {
    this.process!.kill('SIGSTOP');
  }

  thaw(): void {
    this.process!.kill('SIGCONT');
  }

  /** As on a new disk: killed, and back with nothing. */
  async wipe(): Promise<void> {
    await this.kill();
    rmSync(join(this.folder, 'data'), { recursive: true });
    await this.start();
  }

  /** Ends it for good. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Everything stored under the prefix, by key. */
  async stored(prefix: string): Promise<Record<string, string>> {
    return Object.fromEntries((await this.range(prefix)).map(({ key, value }) => [key, value]));
  }

  async put(key: string, value: string): Promise<void> {
    await this.ask('kv/put', { key: base64(key), value: base64(value) });
  }

  async delete(key: string): Promise<void> {
    await this.ask('kv/deleterange', { key: base64(key) });
  }

  /** Behind the back of who holds it. */
  async revokeLeaseOf(key: string): Promise<void> {
    const [found] = await this.range(key);
    await this.ask('lease/revoke', { ID: found!.lease! });
  }

  /** Forgets all history up to now. */
  async compact(): Promise<void> {
    const { header } = await this.ask<{ header: { revision: string } }>('kv/range', { key: base64('-') });
    await this.ask('kv/compaction', { revision: header.revision, physical: true });
  }

  /** How many watches are open. */
  async watches(): Promise<number> {
    const metrics = await (await fetch(`http://127.0.0.1:${this.port}/metrics`)).text();
    return Number(/^etcd_debugging_mvcc_watcher_total (\d+)$/m.exec(metrics)![1]);
  }

  /** From now on it knows `root`, and who is named here, who may read and write what is below the prefix. */
  async enableAuthentication(name: string, password: string, prefix: string): Promise<void> {
    const permission = { permType: 'READWRITE', key: base64(prefix), range_end: base64(endOf(prefix)) };
    await this.ask('auth/role/add', { name: 'root' });
    await this.ask('auth/role/add', { name });
    await this.ask('auth/role/grant', { name, perm: permission });
    for (const [user, role] of [
      ['root', 'root'],
      [name, name],
    ]) {
      await this.ask('auth/user/add', { name: user, password });
      await this.ask('auth/user/grant', { user, role });
    }
    await this.ask('auth/enable', {});
  }

  private async range(prefix: string): Promise<StoredKey[]> {
    const found = await this.ask<{ kvs?: StoredKey[] }>('kv/range', { key: base64(prefix), range_end: base64(endOf(prefix)) });
    return (found.kvs ?? []).map((stored) => ({ ...stored, key: text(stored.key), value: text(stored.value) }));
  }

  /** By the JSON that etcd serves beside gRPC. */
  private async ask<Answer>(path: string, request: object): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`etcd: ${path}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }

  private async ready(process: ChildProcess): Promise<void> {
    let said = '';
    // Read to the end of its life: a full pipe would hold it up.
    process.stderr!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-20_000)));
    process.once('error', (error) => (said += error.message));
    await eventually(
      () => said,
      () => said.includes('serving client traffic') || process.exitCode !== null || process.pid === undefined,
    );
    if (process.exitCode !== null || process.pid === undefined) throw new Error(`etcd ended: ${said}`);
  }
}

const endOf = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
