import { join, resolve } from 'node:path';
import { LOOPBACK } from './loopback-ports';
import { acceptsConnections, answersOk } from './readiness';
import type { Program } from './running-process';
import type { StackPorts } from './app-environment';

/** The Node programs that the stack runs: paths of their main files. */
export interface ProgramFiles {
  sink: string;
  migrate: string;
  searchMigrate: string;
  search: string;
  mail: string;
  gateway: string;
  /** Scripts: what starts the edge, here or in a container, and what fetches its nginx into nginxFolder, which all stacks of a checkout share. */
  edge: string;
  edgeInDocker: string;
  getNginx: string;
  nginxFolder: string;
}

/** As built by `tsc -b`; this file is in tools/dist/stack then. */
export function builtPrograms(): ProgramFiles {
  const root = resolve(__dirname, '..', '..', '..');
  return {
    sink: join(root, 'tools/dist/sink/main.js'),
    migrate: join(root, 'apps/mail/dist/migrate.js'),
    searchMigrate: join(root, 'apps/search/dist/migrate.js'),
    search: join(root, 'apps/search/dist/main.js'),
    mail: join(root, 'apps/mail/dist/main.js'),
    gateway: join(root, 'apps/api-gateway/dist/main.js'),
    edge: join(root, 'nginx-quic/start'),
    edgeInDocker: join(root, 'nginx-quic/in-docker'),
    getNginx: join(root, 'nginx-quic/get-nginx.sh'),
    nginxFolder: join(root, '.provision/nginx'),
  };
}

/**
 * V8 sizes its heap by the machine's memory and collects late: on a large one each app would take 450 MiB for what fits
 * into 190. What files leave behind mail and the gateway collect themselves (libs/grpc/src/young-buffers.ts). The same stand
 * in the apps' own start scripts.
 */
export const MEMORY_FLAGS = ['--max-old-space-size=384', '--max-semi-space-size=4', '--heap-growing-percent=50', '--expose-gc'] as const;

const START_MS = 60_000;
/** Longer than the apps' own grace for what is under way. */
const END_BY = [{ signal: 'SIGTERM', graceMs: 25_000 }] as const;

export const sinkProgram = (files: ProgramFiles, own: NodeJS.ProcessEnv, port: number, inbox: string): Program =>
  nodeProgram('sink', files.sink, { ...own, SGE_SMTP_SINK_PORT: String(port), SGE_SMTP_SINK_INBOX: inbox }, () => acceptsConnections(port));

/** Runs to its end, as the next one does; being "ready" has no meaning for them. */
export const migrateProgram = (files: ProgramFiles, environment: NodeJS.ProcessEnv): Program =>
  nodeProgram('migrate', files.migrate, environment, () => Promise.resolve(false));

export const searchMigrateProgram = (files: ProgramFiles, environment: NodeJS.ProcessEnv): Program =>
  nodeProgram('search-migrate', files.searchMigrate, environment, () => Promise.resolve(false));

export const searchProgram = (files: ProgramFiles, environment: NodeJS.ProcessEnv, ports: Pick<StackPorts, 'search_health'>): Program =>
  nodeProgram('search', files.search, environment, () => answersOk(ports.search_health, '/health/ready'));

export const mailProgram = (files: ProgramFiles, environment: NodeJS.ProcessEnv, ports: Pick<StackPorts, 'mail_health'>): Program =>
  nodeProgram('mail', files.mail, environment, () => answersOk(ports.mail_health, '/health/ready'));

export const gatewayProgram = (files: ProgramFiles, environment: NodeJS.ProcessEnv, ports: Pick<StackPorts, 'gateway'>): Program =>
  nodeProgram('gateway', files.gateway, environment, () => answersOk(ports.gateway, '/health/ready'));

export const gatewayUrl = (ports: StackPorts): string => `http://${LOOPBACK}:${ports.gateway}`;

function nodeProgram(name: string, file: string, env: NodeJS.ProcessEnv, isReady: () => Promise<boolean>): Program {
  const args = [...MEMORY_FLAGS, '--require', require.resolve('./end-with-parent'), file];
  return { name, command: process.execPath, args, env, isReady, startMs: START_MS, endBy: END_BY };
}
