import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { GroupCommit } from '@sky-genesis/database/group-commit';
import { AcceptStore } from './accept.store';
import { DueSignal } from '../delivery/due.signal';
import type { AcceptedEmail, NewEmail } from './new-email';

const MAX_BATCH = 64;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_WAITING = 4096;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
/** Two statements in flight keep PostgreSQL busy while Node prepares the next; more only wait for the counter rows. */
const MAX_IN_FLIGHT = 2;

/** Concurrent accepts share a transaction: what arrives while a batch is written goes into the next. */
@Injectable()
export class AcceptQueue implements OnModuleDestroy {
  private readonly commits: GroupCommit<NewEmail, AcceptedEmail>;

  constructor(
    store: AcceptStore,
    private readonly due: DueSignal,
  ) {
    this.commits = new GroupCommit((emails) => store.write(emails), {
      maxItems: MAX_BATCH,
      maxBytes: MAX_BATCH_BYTES,
      maxInFlight: MAX_IN_FLIGHT,
      maxWaitingItems: MAX_WAITING,
      maxWaitingBytes: MAX_WAITING_BYTES,
      sizeOf,
    });
  }

  /** @throws as AcceptEmail.accept */
  async submit(email: NewEmail, signal?: AbortSignal): Promise<AcceptedEmail> {
    const accepted = await this.commits.submit(email, signal);
    if (accepted.status === 'queued') this.due.raise();
    return accepted;
  }

  async onModuleDestroy(): Promise<void> {
    await this.commits.whenIdle();
  }
}

/** What a mail costs while it waits; an estimate, since texts are counted in characters. A file is not there. */
function sizeOf(email: NewEmail): number {
  const attached = email.attachments.reduce((sum, { content }) => sum + (content instanceof Uint8Array ? content.length * 1.4 : 0), 0);
  return 1024 + email.subject.length + email.body.length + email.htmlBody.length + email.recipients.length * 128 + attached;
}
