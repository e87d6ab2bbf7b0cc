import { Injectable } from '@nestjs/common';
import type { Caller } from '@sky-genesis/grpc/caller';
import type { ChangeOutcome, DocumentChange } from '../engines/search.engine';
import { checkDeletion, checkDocument, type DeletionDraft, type DocumentDraft, kindOf, tenantOf } from './check-document';
import { WriteQueue } from './write.queue';

/** Puts documents into the index, and takes them out of it. */
@Injectable()
export class IndexDocuments {
  private lastVersion = 0;

  constructor(private readonly queue: WriteQueue) {}

  /**
   * @param tenant as the request names it: '' but from the product's own services
   * @throws RuleError SERVICES_ONLY, INVALID_ARGUMENT
   */
  toIndex(draft: DocumentDraft | undefined, tenant: string, caller: Caller): DocumentChange {
    return { change: 'index', document: checkDocument(draft, tenantOf(tenant, caller), caller, () => this.nextVersion()) };
  }

  /** As `toIndex`. */
  toDelete(draft: DeletionDraft, tenant: string, caller: Caller): DocumentChange {
    const of = tenantOf(tenant, caller);
    const version = checkDeletion(draft, caller, () => this.nextVersion());
    return { change: 'delete', tenant: of, id: draft.id, kind: kindOf(draft.id, caller), version };
  }

  /**
   * Resolves once it is durable.
   * @throws as WriteQueue.submit
   */
  write(change: DocumentChange, signal?: AbortSignal): Promise<ChangeOutcome> {
    return this.queue.submit(change, signal);
  }

  /** The clock in milliseconds, and always later than the one before: the last of two changes in a millisecond wins. */
  private nextVersion(): number {
    this.lastVersion = Math.max(Date.now(), this.lastVersion + 1);
    return this.lastVersion;
  }
}
