import { processIdentity } from '../stack/process-identity';
import type { StackDescription } from '../stack/stack-file';
import { failure, type Finding, ok } from './finding';

/** Whether the processes of a stack that `npm start` runs are there. */
export function checkStack({ pids }: StackDescription): Finding[] {
  const gone = Object.entries(pids).filter(([, pid]) => processIdentity(pid) === undefined);
  if (gone.length === 0) return [ok('processes', Object.keys(pids).join(', '))];
  const all = gone.length === Object.keys(pids).length;
  const todo = all
    ? 'The stack was killed: run npm start again.'
    : 'npm start starts it again within seconds; its log (logs/ in the data folder) says why it ended.';
  return gone.map(([name, pid]) => failure('processes', `${name} (pid ${pid}) does not run`, todo));
}
