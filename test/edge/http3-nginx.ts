import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually';
import { Http3Connection } from '../http3/http3-connection';
import type { QuicOptions } from '../http3/quic-connection';
import { nginxPath } from '../system/provisioned';
import { makeCertificates, type TestCertificates } from './test-certificates';

const LOOPBACK = '127.0.0.1';

/** A small nginx with HTTP/3 before an upstream of HTTP/2: only what the client's tests need, not the edge. */
export class Http3Nginx {
  readonly certificates: TestCertificates;

  private constructor(
    /** Early data is taken. */
    readonly port: number,
    /** The same, with the same tickets; early data is refused. */
    readonly portWithoutEarly: number,
    private readonly folder: string,
    private readonly process: ChildProcess,
    certificates: TestCertificates,
  ) {
    this.certificates = certificates;
  }

  /** @param idleSeconds after which a silent connection is given up */
  static async started(upstreamPort: number, idleSeconds = 60): Promise<Http3Nginx> {
    const folder = mkdtempSync(join(tmpdir(), 'sge-http3-'));
    const certificates = makeCertificates(folder);
    const ports = [await freeUdpPort(), await freeUdpPort()] as const;
    writeFileSync(join(folder, 'ticket.key'), randomBytes(80));
    writeFileSync(join(folder, 'nginx.conf'), configuration(folder, certificates, ports, upstreamPort, idleSeconds));
    // A group of its own, so that the worker dies with the master.
    const process = spawn(nginxPath, ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log'], { detached: true, stdio: 'ignore' });
    await eventually(() => process.exitCode !== null || existsSync(join(folder, 'nginx.pid')), Boolean);
    if (process.exitCode !== null) throw new Error(`nginx did not start:\n${readFileSync(join(folder, 'error.log'), 'utf8')}`);
    return new Http3Nginx(...ports, folder, process, certificates);
  }

  /** A connection that should succeed, but for what `options` say. */
  connect(options: Partial<QuicOptions> = {}): Promise<Http3Connection> {
    return Http3Connection.open({ host: LOOPBACK, port: this.port, serverName: 'localhost', ca: this.certificates.ca, ...options });
  }

  /** A line a request, once it is complete: path, `early=1` if it came so. */
  accessLog(): string[] {
    return readFileSync(join(this.folder, 'access.log'), 'utf8').split('\n');
  }

  kill(): void {
    if (this.process.pid && this.process.exitCode === null && this.process.signalCode === null) process.kill(-this.process.pid, 'SIGKILL');
  }

  async remove(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGTERM');
      await once(this.process, 'close');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, LOOPBACK, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

function configuration(
  folder: string,
  { certificatePath, keyPath }: TestCertificates,
  [port, portWithoutEarly]: readonly [number, number],
  upstreamPort: number,
  idleSeconds: number,
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  const server = (listen: number, earlyData: 'on' | 'off') => `
    server {
      listen ${LOOPBACK}:${listen} quic reuseport;
      http3 on;
      server_name localhost;
      ssl_early_data ${earlyData};
      set $early $ssl_early_data;
      location / {
        grpc_pass grpc://upstream;
        grpc_set_header Early-Data $early;
      }
    }`;
  return `
  ${process.getuid?.() === 0 ? 'user root;' : ''}
  daemon off;
  # With more, another one may get what a client sends from another address.
  worker_processes 1;
  pid ${folder}/nginx.pid;
  events { worker_connections 4096; }
  http {
    ${temporary.join('\n    ')}
    log_format paths '$uri early=$early';
    access_log ${folder}/access.log paths;
    ssl_protocols TLSv1.3;
    ssl_certificate ${certificatePath};
    ssl_certificate_key ${keyPath};
    ssl_session_ticket_key ${folder}/ticket.key;
    # Each address that a client moves to takes one, until the one before is given up, seconds later: with 2, the default, the second
    # move in a row stalls.
    quic_active_connection_id_limit 8;
    keepalive_timeout ${idleSeconds}s;
    client_max_body_size 0;
    large_client_header_buffers 4 32k;
    grpc_buffer_size 32k;
    upstream upstream { server ${LOOPBACK}:${upstreamPort}; keepalive 32; }
    ${server(port, 'on')}
    ${server(portWithoutEarly, 'off')}
  }`;
}
