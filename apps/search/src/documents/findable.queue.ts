import { beyondCall } from '@sky-genesis/grpc/beyond-call';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { Kind, SearchEngine } from '../engines/search.engine';

const INTERVAL_MS = 50;
const MAX_WAITING = 1000;
const MAX_WAITING_OF_TENANT = 100;
/** Ids of one question to the engine, at most. */
const MAX_ASKED = 100;

export interface Awaited {
  tenant: string;
  kinds: readonly Kind[];
  id: string;
  /** How long to wait, at most. */
  timeoutMs: number;
  signal: AbortSignal;
}

interface Waiting {
  id: string;
  found: () => void;
  failed: (error: unknown) => void;
}

/**
 * Waits until documents can be found. All that is waited for in a tenant is one question to the engine, 20 times a
 * second; an id that is absent, another tenant's or of a kind that the caller may not see is waited for in the same way.
 */
export class FindableQueue {
  private readonly groups = new Map<string, Set<Waiting>>();
  private waiting = 0;
  private readonly byTenant = new Map<string, number>();

  constructor(private readonly engine: Pick<SearchEngine, 'findable'>) {}

  /**
   * Resolves once the document can be found by a search that begins then.
   * @throws RuleError NOT_FINDABLE_YET, OVERLOADED; EngineUnavailableError; the signal's reason
   */
  async wait({ tenant, kinds, id, timeoutMs, signal }: Awaited): Promise<void> {
    if (signal.aborted) throw signal.reason;
    const ofTenant = this.byTenant.get(tenant) ?? 0;
    if (this.waiting >= MAX_WAITING || ofTenant >= MAX_WAITING_OF_TENANT) {
      throw new RuleError('OVERLOADED', 'as many searches wait for a document as may', { retryAfterSeconds: 1 });
    }
    this.waiting++;
    this.byTenant.set(tenant, ofTenant + 1);
    try {
      await this.found(tenant, kinds, id, timeoutMs, signal);
    } finally {
      this.waiting--;
      const left = (this.byTenant.get(tenant) ?? 1) - 1;
      if (left === 0) this.byTenant.delete(tenant);
      else this.byTenant.set(tenant, left);
    }
  }

  private found(tenant: string, kinds: readonly Kind[], id: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const over = (settle: () => void) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        group.delete(entry);
        settle();
      };
      const entry: Waiting = { id, found: () => over(resolve), failed: (error) => over(() => reject(error as Error)) };
      const abort = () => entry.failed(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const timer = setTimeout(() => entry.failed(new RuleError('NOT_FINDABLE_YET')), Math.max(timeoutMs, 0));
      const group = this.groupOf(tenant, kinds);
      group.add(entry);
    });
  }

  private groupOf(tenant: string, kinds: readonly Kind[]): Set<Waiting> {
    const key = JSON.stringify([tenant, [...kinds].sort()]);
    const known = this.groups.get(key);
    if (known) return known;
    const group = new Set<Waiting>();
    this.groups.set(key, group);
    void beyondCall(() => this.poll(key, group, tenant, kinds));
    return group;
  }

  private async poll(key: string, group: Set<Waiting>, tenant: string, kinds: readonly Kind[]): Promise<void> {
    // Until the first one is in.
    await Promise.resolve();
    while (group.size > 0) {
      const asked = [...group];
      try {
        const ids = [...new Set(asked.map(({ id }) => id))];
        for (let from = 0; from < ids.length; from += MAX_ASKED) {
          const found = await this.engine.findable(tenant, kinds, ids.slice(from, from + MAX_ASKED));
          for (const entry of asked) if (found.has(entry.id)) entry.found();
        }
      } catch (error) {
        for (const entry of asked) entry.failed(error);
      }
      if (group.size > 0) await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    this.groups.delete(key);
  }
}
