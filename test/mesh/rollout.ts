import type { AppProcess } from './app-process';
import type { MeshSystem } from './mesh-system';

export interface Restart {
  app: string;
  exitCode: number | null;
  drainMs: number;
  startMs: number;
}

/** Every instance once, one after the other, as a rolling restart does it: SIGTERM, gone, a new one at its address, ready, the next. */
export async function rollOut(system: MeshSystem): Promise<Restart[]> {
  const restarts: Restart[] = [];
  for (const app of system.apps) restarts.push(await restart(app));
  return restarts;
}

async function restart(app: AppProcess): Promise<Restart> {
  const began = Date.now();
  const exitCode = await app.end('SIGTERM');
  const drained = Date.now();
  await app.start();
  return { app: app.app, exitCode, drainMs: drained - began, startMs: Date.now() - drained };
}
