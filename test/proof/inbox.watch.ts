import { type FSWatcher, readdirSync, watch } from 'node:fs';
import type { Started } from './started';

const MAIL = /^(msg_[0-9a-f-]{36})\.eml$/;

/**
 * What the sink puts into its inbox, as it happens. The sink moves each mail whole to `<message_id>.eml`, a second one of
 * the same id over the first; every move is one event (inotify), so that deliveries are counted and not only files.
 */
export class InboxWatch {
  private readonly arrivals = new Map<string, number[]>();
  private readonly watcher: FSWatcher;

  constructor(
    private readonly folder: string,
    started: Started,
  ) {
    this.watcher = watch(folder, (_event, name) => this.moved(name ?? ''));
    started.onEnd(() => this.watcher.close());
  }

  /** When the mail was delivered (`performance.now`): once for each delivery, oldest first. */
  deliveries(id: string): readonly number[] {
    return this.arrivals.get(id) ?? [];
  }

  has(id: string): boolean {
    return this.arrivals.has(id);
  }

  /** Mails that were delivered at least once. */
  get size(): number {
    return this.arrivals.size;
  }

  missing(ids: Iterable<string>): string[] {
    return [...ids].filter((id) => !this.arrivals.has(id));
  }

  twice(): string[] {
    return [...this.arrivals].filter(([, times]) => times.length > 1).map(([id]) => id);
  }

  /** The ids of the files that lie there now. */
  files(): Set<string> {
    return new Set(readdirSync(this.folder).flatMap((name) => MAIL.exec(name)?.[1] ?? []));
  }

  private moved(name: string): void {
    const [, id] = MAIL.exec(name) ?? [];
    if (id === undefined) return;
    const times = this.arrivals.get(id);
    if (times) times.push(performance.now());
    else this.arrivals.set(id, [performance.now()]);
  }
}
