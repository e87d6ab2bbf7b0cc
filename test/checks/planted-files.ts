import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** A folder of its own, outside the repository, in which files are planted for a check to find. */
export class PlantedFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'planted-'));

  write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, path)), { recursive: true });
      writeFileSync(join(this.folder, path), text);
    }
  }

  /** Copies of the repository's own files. */
  copy(...paths: string[]): void {
    for (const path of paths) cpSync(join(ROOT, path), join(this.folder, path), { recursive: true });
  }

  /** The packages and tools that the repository has installed. */
  link(path = 'node_modules'): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(this.folder, path));
  }

  /** A link from one path of this folder to another, as npm makes for workspaces. */
  linkWithin(target: string, path: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    symlinkSync(join(this.folder, target), join(this.folder, path));
  }

  /** Runs a tool of the repository in this folder. */
  run(tool: string, ...args: string[]): { code: number | null; output: string } {
    const command = tool.includes('/') ? join(this.folder, tool) : join(ROOT, 'node_modules/.bin', tool);
    const environment = { ...process.env, NODE_OPTIONS: '' };
    const { status, stdout, stderr, error } = spawnSync(command, args, {
      cwd: this.folder,
      encoding: 'utf8',
      env: environment,
      maxBuffer: 2 ** 26,
    });
    if (error) throw error;
    return { code: status, output: stdout + stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
