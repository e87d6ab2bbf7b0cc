import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import type { SearchEngine } from '../engines/search.engine';

/** How long an answer of the engine counts. What it said stays true; it is only less than could be said. */
const FRESH_MS = 200;

/** Up to when everything accepted can be found, as the feeds' checkpoints say. */
export class IndexedThrough {
  private known: { ms: Promise<number>; at: number } | undefined;

  constructor(private readonly engine: Pick<SearchEngine, 'checkpoints'>) {}

  /**
   * Unix milliseconds, the least over the sources; 0 where there is none. To be asked before a search begins: afterwards
   * it could claim what the search did not see yet.
   * @throws EngineUnavailableError
   */
  read(): Promise<number> {
    const now = Date.now();
    if (this.known && now >= this.known.at && now < this.known.at + FRESH_MS) return this.known.ms;
    // Others are told its answer, too.
    const known = { ms: beyondCall(() => this.ask()), at: now };
    this.known = known;
    known.ms.catch(() => {
      if (this.known === known) this.known = undefined;
    });
    return known.ms;
  }

  /** After a checkpoint was saved by this process. */
  forget(): void {
    this.known = undefined;
  }

  private async ask(): Promise<number> {
    const checkpoints = await this.engine.checkpoints();
    return checkpoints.length === 0 ? 0 : Math.min(...checkpoints.map(({ throughMs }) => throughMs));
  }
}
