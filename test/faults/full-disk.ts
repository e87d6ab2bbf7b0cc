import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MEBIBYTE = 2 ** 20;

/** A file system of its own, in a file, that can be filled up. Linux, and root: it is mounted. */
export class SmallDisk {
  private constructor(
    readonly folder: string,
    private readonly image: string,
  ) {}

  /** Undefined where none can be made. @param path of a folder that is not there yet */
  static mounted(path: string, mebibytes: number): SmallDisk | undefined {
    const image = `${path}.image`;
    try {
      mkdirSync(path);
      writeFileSync(image, '');
      truncateSync(image, mebibytes * MEBIBYTE);
      // No blocks kept for root: PostgreSQL is another user.
      run('mkfs.ext4', '-q', '-F', '-m', '0', image);
      run('mount', '-o', 'loop', image, path);
      return new SmallDisk(path, image);
    } catch {
      rmSync(image, { force: true });
      return undefined;
    }
  }

  /** Nothing more can be written, until it is relieved. */
  fill(): void {
    const { bavail, bsize } = statfsSync(this.folder);
    try {
      run('fallocate', '-l', String(bavail * bsize), this.ballast);
    } catch {
      // As much as there was: what else is written meanwhile fits as little.
    }
  }

  relieve(): void {
    rmSync(this.ballast, { force: true });
  }

  unmount(): void {
    run('umount', '--lazy', this.folder);
    rmSync(this.image, { force: true });
  }

  private get ballast(): string {
    return join(this.folder, 'ballast');
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'ignore', timeout: 30_000 });
}
