import { execFile } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { StackPorts } from './app-environment';
import { LOOPBACK } from './loopback-ports';
import type { ProgramFiles } from './programs';
import { acceptsConnections } from './readiness';
import type { Program } from './running-process';

/** Of each way: fifteen megabytes, or an image, and what apt has to learn before. */
const FETCH_MS = 180_000;
const START_MS = 30_000;

/** Where nginx listens, by the default of EDGE_HOST. */
export const EDGE_PLACES = ['TCP', 'UDP', 'TCP on IPv6', 'UDP on IPv6'] as const;

/** What starts the edge, or, in a line, why nothing can. */
export type EdgeScript = { path: string } | { missing: string };

/** Gets an nginx that can do HTTP/3 where it is not there yet: the one for this machine, else an image with it. */
export async function getEdge(files: ProgramFiles, own: NodeJS.ProcessEnv, folder: string): Promise<EdgeScript> {
  const env = { ...own, EDGE_DIR: folder };
  const noNginx = await failureOf(files.getNginx, [files.nginxFolder], env);
  if (noNginx === undefined) return { path: files.edge };
  const noImage = await failureOf(files.edgeInDocker, ['--build'], env);
  return noImage === undefined ? { path: files.edgeInDocker } : { missing: `${noNginx}; ${noImage}` };
}

/** The last line that a script told before it failed, without its name; undefined: it did not. */
async function failureOf(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    await promisify(execFile)(script, args, { env, timeout: FETCH_MS, killSignal: 'SIGKILL' });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    const told = (stderr ?? '').trim().split('\n').at(-1);
    return told?.replace(/^(get-nginx|in-docker): /, '') || message;
  }
}

/**
 * The edge in front of the gateway, mail and search; what nobody set is made in `folder`: keys, certificates, a development CA.
 * It ends with the stack, however that ends.
 */
export function edgeProgram(script: string, files: ProgramFiles, own: NodeJS.ProcessEnv, folder: string, ports: EdgePorts): Program {
  const env = {
    ...own,
    PATH: [join(files.nginxFolder, 'sbin'), join(files.nginxFolder, 'bin'), own['PATH']].join(delimiter),
    EDGE_DIR: folder,
    EDGE_PORT: String(ports.edge),
    EDGE_GATEWAY_ADDR: `${LOOPBACK}:${ports.gateway}`,
    EDGE_MAIL_ADDR: `${LOOPBACK}:${ports.mail_grpc}`,
    EDGE_SEARCH_ADDR: `${LOOPBACK}:${ports.search_grpc}`,
  };
  return {
    name: 'edge',
    command: 'setpriv',
    args: ['--pdeathsig', 'TERM', script],
    env,
    isReady: () => acceptsConnections(ports.edge),
    startMs: START_MS,
    endBy: [
      { signal: 'SIGQUIT', graceMs: 3000 },
      { signal: 'SIGTERM', graceMs: 2000 },
    ],
  };
}

export type EdgePorts = StackPorts & { edge: number };

export const edgeUrl = (port: number): string => `https://localhost:${port}`;

/** The CA that the edge's certificate is of, where it made one itself. */
export const edgeCa = (folder: string): string => join(folder, 'tls', 'ca.pem');
