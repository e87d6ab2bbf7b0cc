import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../eventually';
import { freePort } from '../free-port';

const run = promisify(execFile);
const FOLDER = resolve(__dirname, '../../nginx-quic');

/** @throws with `code`, `stdout` and `stderr` */
export const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout.trim();

/** The image of the edge under a name of its own. */
export async function buildEdgeImage(): Promise<string> {
  const name = `sge-edge-test:${randomUUID()}`;
  await docker('build', '--quiet', '--tag', name, FOLDER);
  return name;
}

/** Settings, as `docker run` takes them. */
export const settingsOf = (settings: Record<string, string>): string[] =>
  Object.entries(settings).flatMap(([name, value]) => ['--env', `${name}=${value}`]);

/** A running container of that image. */
export class EdgeContainer {
  private constructor(
    readonly id: string,
    readonly port: number,
  ) {}

  /** On a network of its own; its port is mapped to a free one of loopback, UDP and TCP. */
  static async start(image: string): Promise<EdgeContainer> {
    const port = await freePort();
    const mapped = ['tcp', 'udp'].flatMap((protocol) => ['--publish', `127.0.0.1:${port}:8443/${protocol}`]);
    return new EdgeContainer(await runDetached(image, { EDGE_PUBLIC_PORT: String(port) }, mapped), port);
  }

  /** On this machine's network, on loopback: in front of what listens there. */
  static async startOnHost(image: string, settings: Record<string, string>): Promise<EdgeContainer> {
    const port = await freePort();
    const own = { EDGE_HOST: '127.0.0.1', EDGE_PORT: String(port), ...settings };
    return new EdgeContainer(await runDetached(image, own, ['--network', 'host']), port);
  }

  /** Resolves when its health check has found out. */
  async health(): Promise<string> {
    return eventually(
      () => this.inspect('.State.Health.Status'),
      (status) => status !== 'starting',
      60_000,
    );
  }

  /** Such as `.State.ExitCode`. */
  inspect(field: string): Promise<string> {
    return docker('inspect', '--format', `{{${field}}}`, this.id);
  }

  exec(...command: string[]): Promise<string> {
    return docker('exec', this.id, ...command);
  }

  /** The CA that its certificate is of, PEM. */
  ca(): Promise<string> {
    return this.exec('cat', '/var/lib/edge/tls/ca.pem');
  }

  /** With its volume. */
  async remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', this.id);
  }
}

const runDetached = (image: string, settings: Record<string, string>, network: string[]): Promise<string> =>
  docker('run', '--detach', ...network, ...settingsOf(settings), image);
