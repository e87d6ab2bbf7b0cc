import { cpuMicroseconds } from './cpu';

/** How much a search engine has computed so far. */
export interface MeasuredEngine {
  name: 'postgres' | 'elasticsearch';
  /** Since it started, in microseconds. */
  cpuMicroseconds(): Promise<number>;
}

/** The PostgreSQL of the stack and its children, from /proc. */
export const postgresProcess = (pid: number): MeasuredEngine => ({
  name: 'postgres',
  cpuMicroseconds: () => Promise.resolve(cpuMicroseconds(pid)),
});

interface Nodes {
  nodes: Record<string, { process: { id: number; cpu?: { total_in_millis: number } } }>;
}

/** Of a server on this machine from /proc; else as it says it of itself, which it does once a second only. */
export async function elasticsearchNodes(url: string): Promise<MeasuredEngine> {
  const ask = async (path: string) => Object.values(((await (await fetch(new URL(path, url))).json()) as Nodes).nodes);
  const [node, ...others] = await ask('/_nodes/process');
  const isHere = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname) && others.length === 0;
  const told = async () =>
    (await ask('/_nodes/stats/process')).reduce((sum, { process }) => sum + (process.cpu?.total_in_millis ?? 0) * 1000, 0);
  return { name: 'elasticsearch', cpuMicroseconds: isHere && node ? () => Promise.resolve(cpuMicroseconds(node.process.id)) : told };
}
