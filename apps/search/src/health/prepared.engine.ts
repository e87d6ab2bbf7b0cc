import { RuleError } from '@sky-genesis/grpc/rule-error';
import {
  type Answer,
  type ChangeOutcome,
  type DocumentChange,
  EngineUnavailableError,
  type Kind,
  SearchEngine,
  type SearchQuestion,
  type SourceCheckpoint,
} from '../engines/search.engine';

/**
 * The engine of this process: away until it has been prepared, which may be long after the start, and known to be up or
 * down as the monitor last found it.
 */
export class PreparedEngine extends SearchEngine {
  private prepared = false;
  private answers = false;

  constructor(private readonly engine: SearchEngine) {
    super();
  }

  get name(): SearchEngine['name'] {
    return this.engine.name;
  }

  /** Whether it was prepared, and answered when it was last asked. */
  get isUp(): boolean {
    return this.prepared && this.answers;
  }

  /** Prepares it where that is still to be done, asks it otherwise, and remembers what came of that. */
  async check(): Promise<boolean> {
    try {
      if (this.prepared) await this.engine.ping();
      else await this.prepare();
      this.answers = true;
    } catch (error) {
      this.answers = false;
      if (!isAway(error)) throw error;
    }
    return this.isUp;
  }

  async prepare(): Promise<void> {
    await this.engine.prepare();
    this.prepared = true;
  }

  ping(): Promise<void> {
    return this.whenPrepared(() => this.engine.ping());
  }

  search(question: SearchQuestion): Promise<Answer> {
    return this.whenPrepared(() => this.engine.search(question));
  }

  write(changes: readonly DocumentChange[]): Promise<(ChangeOutcome | Error)[]> {
    return this.whenPrepared(() => this.engine.write(changes));
  }

  publish(): Promise<void> {
    return this.whenPrepared(() => this.engine.publish());
  }

  findable(tenant: string, kinds: readonly Kind[], ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.whenPrepared(() => this.engine.findable(tenant, kinds, ids));
  }

  saveCheckpoint(checkpoint: SourceCheckpoint): Promise<void> {
    return this.whenPrepared(() => this.engine.saveCheckpoint(checkpoint));
  }

  checkpoints(): Promise<SourceCheckpoint[]> {
    return this.whenPrepared(() => this.engine.checkpoints());
  }

  forgetDeletions(days: number): Promise<number> {
    return this.whenPrepared(() => this.engine.forgetDeletions(days));
  }

  close(): Promise<void> {
    return this.engine.close();
  }

  /** The database client of the embedded engine has words of its own for being away. */
  private async whenPrepared<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.prepared) throw new EngineUnavailableError();
    try {
      return await ask();
    } catch (error) {
      throw isAway(error) ? new EngineUnavailableError({ cause: error }) : error;
    }
  }
}

const isAway = (error: unknown): boolean =>
  error instanceof EngineUnavailableError || (error instanceof RuleError && error.code === 'UNAVAILABLE');
