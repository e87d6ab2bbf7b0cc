import { connect } from 'node:net';
import { LOOPBACK } from './loopback-ports';

/** How long one question may take. */
const ANSWER_MS = 2000;

/** Whether a GET of this path on a port of this machine answers 200. */
export async function answersOk(port: number, path: string): Promise<boolean> {
  try {
    const answer = await fetch(`http://${LOOPBACK}:${port}${path}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.body?.cancel();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Whether something listens on a port of this machine. */
export function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: LOOPBACK, timeout: ANSWER_MS });
    const tell = (accepts: boolean): void => {
      socket.destroy();
      resolve(accepts);
    };
    socket.once('connect', () => tell(true));
    socket.once('error', () => tell(false));
    socket.once('timeout', () => tell(false));
  });
}
