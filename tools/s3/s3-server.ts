import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFile } from '../stack/log-file';
import { LOOPBACK } from '../stack/loopback-ports';
import { RunningProcess } from '../stack/running-process';
import { steadyPort } from '../stack/steady-port';

const START_MS = 20_000;

/** A real S3 server (versitygw) with one bucket for tests, which can be killed and started again on the same port and data. */
export class S3Server {
  readonly bucket = 'files';
  readonly accessKeyId = 'test';
  readonly secretAccessKey = randomBytes(16).toString('hex');
  private readonly folder = mkdtempSync(join(tmpdir(), 'sge-s3-'));
  private readonly log = new LogFile(join(this.folder, 'log'));
  private running: RunningProcess | undefined;

  private constructor(
    private readonly program: string,
    private readonly port: number,
  ) {
    // To versitygw a folder is a bucket; what belongs to its objects is kept aside, as not every file system has room for it.
    mkdirSync(join(this.folder, 'buckets', this.bucket), { recursive: true });
    mkdirSync(join(this.folder, 'sidecar'));
  }

  /** @param program of versitygw: tools/provision makes it as .provision/bin/versitygw */
  static async started(program: string): Promise<S3Server> {
    const server = new S3Server(program, await steadyPort());
    await server.start();
    return server;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const posix = ['posix', '--sidecar', join(this.folder, 'sidecar'), join(this.folder, 'buckets')];
    const program = {
      name: 'versitygw',
      command: this.program,
      args: ['--port', `${LOOPBACK}:${this.port}`, '--keep-alive', '--quiet', ...posix],
      env: { ROOT_ACCESS_KEY: this.accessKeyId, ROOT_SECRET_KEY: this.secretAccessKey },
      isReady: () => answers(this.url),
      startMs: START_MS,
      endBy: [],
    };
    this.running = new RunningProcess(program, this.log);
    await this.running.ready();
  }

  /** With -9. What it has answered by then is kept. */
  async kill(): Promise<void> {
    await this.running?.end();
  }

  /** All that it kept is gone with it. */
  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Whatever it answers: without a signature, that is a refusal. */
const answers = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    () => true,
    () => false,
  );
