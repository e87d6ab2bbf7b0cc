import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { GroupCommit } from '@sky-genesis/database/group-commit';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { type ChangeOutcome, type DocumentChange, EngineUnavailableError, SearchEngine } from '../engines/search.engine';
import { documentsWrittenTotal } from './search.metrics';
import { searchUnavailable } from './search-unavailable';

const MAX_BATCH = 500;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
const MAX_WAITING = 4096;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Two batches in flight keep the engine busy while Node prepares the next. */
const MAX_IN_FLIGHT = 2;

/**
 * Concurrent changes share a write: what arrives while a batch is written goes into the next. Which of two changes of one
 * document wins is for their versions to say, and not for the order of batches.
 */
@Injectable()
export class WriteQueue implements OnModuleDestroy {
  private readonly commits: GroupCommit<DocumentChange, ChangeOutcome>;

  constructor(private readonly engine: SearchEngine) {
    this.commits = new GroupCommit((changes) => this.write(changes), {
      maxItems: MAX_BATCH,
      maxBytes: MAX_BATCH_BYTES,
      maxInFlight: MAX_IN_FLIGHT,
      maxWaitingItems: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      sizeOf,
      // What comes in one message can be found together, as far as one batch holds it.
      gathers: true,
    });
  }

  /** @throws RuleError OVERLOADED, SEARCH_UNAVAILABLE (carried out or not: a change may be sent again) */
  submit(change: DocumentChange, signal?: AbortSignal): Promise<ChangeOutcome> {
    return this.commits.submit(change, signal);
  }

  async onModuleDestroy(): Promise<void> {
    await this.commits.whenIdle();
  }

  private async write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    try {
      const outcomes = await this.engine.write(changes);
      for (const outcome of outcomes) documentsWrittenTotal.inc({ outcome: outcome instanceof Error ? 'failed' : outcome });
      return outcomes.map((outcome) => (outcome instanceof EngineUnavailableError ? searchUnavailable() : outcome));
    } catch (error) {
      documentsWrittenTotal.inc({ outcome: 'failed' }, changes.length);
      throw isUnavailable(error) ? searchUnavailable() : error;
    }
  }
}

/** The embedded engine's database has words of its own for being away. */
const isUnavailable = (error: unknown): boolean =>
  error instanceof EngineUnavailableError || (error instanceof RuleError && error.code === 'UNAVAILABLE');

/** What a change costs while it waits; an estimate, since texts are counted in characters. */
export function sizeOf(change: DocumentChange): number {
  if (change.change === 'delete') return 512;
  const { title, content, url, attributes } = change.document;
  const inAttributes = Object.entries(attributes).reduce((sum, [name, values]) => sum + sizeOfValues(name, values), 0);
  return 1024 + title.length + content.length * 2 + url.length + inAttributes;
}

const sizeOfValues = (name: string, values: readonly string[]): number =>
  values.reduce((sum, value) => sum + value.length + 32, name.length);
