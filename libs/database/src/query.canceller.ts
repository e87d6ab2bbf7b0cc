import { setTimeout as sleep } from 'node:timers/promises';
import { InFlight } from '@sky-genesis/grpc/in-flight';
import type { PoolClient } from 'pg';
import { sendCancelRequest } from './cancel-request';

/** Requests at once: each is a process of PostgreSQL for a moment. Those that find no room wait, for as long as their query runs. */
const MAX_AT_ONCE = 4;
/** A request that comes before its query has begun finds nothing to cancel. */
const AGAIN_MS = 100;

/** Cancels queries in PostgreSQL whose callers do not wait for them any more. */
export class QueryCanceller {
  private readonly room = new InFlight(MAX_AT_ONCE);

  /**
   * Has the query that is about to run on a connection cancelled when the signal aborts, until it is answered.
   * @returns to be called once it is. Gives, where it was to be cancelled, whether the connection can be used again: once no
   *   request can reach another query of it
   */
  watch(client: PoolClient, signal: AbortSignal): () => Promise<boolean> | undefined {
    let answered: AbortController | undefined;
    let cancelling: Promise<boolean> | undefined;
    const begin = () => {
      answered = new AbortController();
      cancelling = this.cancel(client, answered.signal);
    };
    signal.addEventListener('abort', begin, { once: true });
    return () => {
      signal.removeEventListener('abort', begin);
      answered?.abort();
      return cancelling;
    };
  }

  private async cancel(client: PoolClient, answered: AbortSignal): Promise<boolean> {
    while (!answered.aborted) {
      const entered = await this.room.enter(1, answered).then(
        () => true,
        () => false,
      );
      if (!entered) break;
      const certain = await sendCancelRequest(client).finally(() => this.room.leave(1));
      if (!certain) return false;
      await sleep(AGAIN_MS, undefined, { signal: answered }).catch(() => undefined);
    }
    return true;
  }
}
