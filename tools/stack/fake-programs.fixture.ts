import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramFiles } from './programs';
import { type StackConfig, readStackConfig } from './stack.config';
import { Terminal } from './terminal';

/** Answers 200 everywhere, and tells the diary when it starts and ends. */
const server = (name: string, portVariable: string): string => `
  const { appendFileSync } = require('node:fs');
  const tell = (what) => appendFileSync(process.env.DIARY, '${name} ' + what + '\\n');
  tell('starts');
  console.log('${name} listens');
  require('node:http').createServer((_request, response) => response.end('ok')).listen(process.env.${portVariable}, '127.0.0.1');
  for (const signal of ['SIGTERM', 'SIGQUIT']) process.once(signal, () => { tell('ends'); process.exit(0); });
`;

const migrate = (name: string, urlVariable: string): string =>
  `require('node:fs').appendFileSync(process.env.DIARY, '${name} runs on ' + process.env.${urlVariable} + '\\n');`;

const FREE_PORTS = Object.fromEntries(
  ['HTTP', 'MAIL_GRPC', 'MAIL_HEALTH', 'SEARCH_GRPC', 'SEARCH_HEALTH', 'SMTP_SINK', 'EDGE'].map((name) => [`SGE_${name}_PORT`, '0']),
);

/** A folder with stand-ins for the apps, a data folder, and what they and the terminal told. */
export class FakePrograms {
  readonly folder = mkdtempSync(join(tmpdir(), 'stack-'));
  readonly dataFolder = join(this.folder, 'data');
  readonly environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], DIARY: join(this.folder, 'diary') };
  readonly files: ProgramFiles;
  shown = '';
  readonly terminal = new Terminal(
    (text) => (this.shown += text),
    (text) => (this.shown += text),
  );

  constructor() {
    mkdirSync(join(this.folder, 'programs'));
    writeFileSync(join(this.folder, 'diary'), '');
    this.files = {
      migrate: this.program('migrate', migrate('migrate', 'DATABASE_URL')),
      searchMigrate: this.program('searchMigrate', migrate('search-migrate', 'SEARCH_DATABASE_URL')),
      search: this.program('search', server('search', 'HEALTH_PORT')),
      sink: this.program('sink', server('sink', 'SGE_SMTP_SINK_PORT')),
      mail: this.program('mail', server('mail', 'HEALTH_PORT')),
      gateway: this.program('gateway', server('gateway', 'HTTP_PORT')),
      edge: this.script('edge', server('edge', 'EDGE_PORT')),
      edgeInDocker: this.script('edgeInDocker', "console.error('in-docker: there is no docker'); process.exit(1)"),
      getNginx: this.script('getNginx', ''),
      nginxFolder: this.folder,
    };
  }

  /** Puts another program in the place of one. */
  program(name: keyof ProgramFiles, source: string): string {
    const path = join(this.folder, 'programs', `${name}.js`);
    writeFileSync(path, source);
    return path;
  }

  /** One that runs by itself. */
  private script(name: keyof ProgramFiles, source: string): string {
    const path = this.program(name, `#!${process.execPath}\n${source}`);
    chmodSync(path, 0o755);
    return path;
  }

  /** Free ports, and no database of its own, unless said otherwise. */
  config(environment: Record<string, string> = {}): StackConfig {
    const own = { SGE_DATA_DIR: this.dataFolder, DATABASE_URL: 'postgresql://127.0.0.1:1/none' };
    return readStackConfig({ ...own, ...FREE_PORTS, ...environment });
  }

  diary(): string[] {
    return readFileSync(join(this.folder, 'diary'), 'utf8').trim().split('\n');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
