import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { RuleError } from '@sky-genesis/grpc/rule-error';

/**
 * A body as it arrives, however long that takes, as long as it moves; the time in which nobody asks does not count.
 * Leaves the body as it is at the end: to destroy it would destroy the connection that is to be answered on.
 * @throws RuleError DEADLINE_EXCEEDED when nothing came for `idleMs`; CANCELLED when the client is gone; the reason of
 *   `ending` when that aborts
 */
export async function* arrivingChunks(body: Readable, idleMs: number, ending: AbortSignal): AsyncGenerator<Buffer, void, undefined> {
  const waiting = { wake: () => undefined as void };
  const wake = () => waiting.wake();
  for (const event of MOVES) body.on(event, wake);
  ending.addEventListener('abort', wake);
  try {
    for (;;) {
      if (ending.aborted) throw ending.reason as Error;
      const chunk = body.read() as Buffer | null;
      if (chunk) yield chunk;
      else if (body.readableEnded) return;
      else if (body.destroyed) throw new RuleError('CANCELLED');
      else await moved(waiting, idleMs);
    }
  } finally {
    for (const event of MOVES) body.off(event, wake);
    ending.removeEventListener('abort', wake);
  }
}

const MOVES = ['readable', 'end', 'error', 'close'];

async function moved(waiting: { wake: () => void }, idleMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new RuleError('DEADLINE_EXCEEDED', `nothing arrived for ${idleMs / 1000} s`)), idleMs);
    waiting.wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });
  // Node tells of each piece of a chunked body by itself: what is there already is read together.
  await setImmediate();
}
