import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Started } from './started';
import type { Tell, Told, UploadJob } from './upload.way';

/** Beside this file, as built. */
const UPLOADER = join(__dirname, 'uploader.main.js');

/** A client that uploads, in a process of its own. */
export class UploadClient {
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(job: UploadJob, hear: Tell, started: Started) {
    this.child = spawn(process.execPath, [UPLOADER], { env: { PATH: process.env['PATH'] }, stdio: ['pipe', 'pipe', 'inherit'] });
    started.onEnd(() => this.kill());
    this.ended = once(this.child, 'close');
    this.child.stdin?.on('error', () => undefined);
    this.child.stdin?.write(`${JSON.stringify(job)}\n`);
    createInterface({ input: this.child.stdout! }).on('line', (line) => hear(JSON.parse(line) as Told));
  }

  /** -9; resolves when all that it said before is heard. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
