import { Injectable } from '@nestjs/common';
import type { Caller } from '@sky-genesis/grpc/caller';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { v7 as uuidv7 } from 'uuid';
import { FileStore } from '../files/file.store';
import { InlineFiles } from '../files/inline-files';
import type { StoredFile } from '../files/stored-file';
import { AcceptQueue } from './accept.queue';
import { type NamedFiles, namedFiles, NO_FILES } from './check-attachments';
import { checkEmail, checkIdempotencyKey } from './check-email';
import { emailFingerprint } from './email-fingerprint';
import { EmailLimits } from './email-limits';
import type { AcceptedEmail, EmailDraft, NewAttachment } from './new-email';

/** Attached bytes above this become a file: PostgreSQL and the workers keep what is small. */
export const MAX_INLINE_BYTES = 256 * 1024;

/** Accepts a mail: checks it and answers once it is durable, with everything that its delivery needs. */
@Injectable()
export class AcceptEmail {
  constructor(
    private readonly limits: EmailLimits,
    private readonly queue: AcceptQueue,
    private readonly files: FileStore,
    private readonly inline: InlineFiles,
  ) {}

  /**
   * @param idempotencyKey '' for none
   * @throws RuleError INVALID_ARGUMENT, SENDER_NOT_ALLOWED, IDEMPOTENCY_KEY_REUSED, QUEUE_FULL, OVERLOADED,
   *   DATABASE_UNAVAILABLE, ACCEPT_UNKNOWN; of large attachments also FILE_QUOTA_EXCEEDED, STORE_FULL, STORE_UNAVAILABLE
   */
  async accept(draft: EmailDraft, idempotencyKey: string, caller: Caller, signal?: AbortSignal): Promise<AcceptedEmail> {
    checkIdempotencyKey(idempotencyKey);
    const named = await this.lookUp(draft, caller.tenant);
    const checked = checkEmail(draft, caller.senders, this.limits, new Date(), named);
    const idempotency = idempotencyKey === '' ? undefined : { key: idempotencyKey, fingerprint: emailFingerprint(checked, draft) };
    return this.withLargeKept(caller.tenant, checked.attachments, (attachments) => {
      const email = { ...checked, attachments, id: uuidv7(), tenant: caller.tenant, createdAt: new Date(), idempotency };
      return this.queue.submit(email, signal);
    });
  }

  private async lookUp({ attachments }: EmailDraft, tenant: string): Promise<NamedFiles> {
    const ids = namedFiles(attachments, this.limits);
    if (ids.length === 0) return NO_FILES;
    const complete = await this.files.find(tenant, ids);
    const missing = ids.filter((id) => !complete.has(id));
    return { complete, unfinished: missing.length === 0 ? NO_FILES.unfinished : await this.files.unfinished(tenant, missing) };
  }

  /** Makes files of large attachments, before the mail is; they go again where no mail comes of it. */
  private async withLargeKept(
    tenant: string,
    attachments: readonly NewAttachment[],
    accept: (attachments: readonly NewAttachment[]) => Promise<AcceptedEmail>,
  ): Promise<AcceptedEmail> {
    const kept: StoredFile[] = [];
    const forget = () => (kept.length > 0 ? this.inline.forget(tenant, kept) : undefined);
    try {
      const accepted = await accept(await this.keepLarge(tenant, attachments, kept));
      if (accepted.replayed) await forget();
      return accepted;
    } catch (error) {
      // A mail that may be there refers to them.
      if (!(error instanceof RuleError && error.reason === 'ACCEPT_UNKNOWN')) await forget();
      throw error;
    }
  }

  /** @param kept takes each file as it is made, also where a later one fails */
  private async keepLarge(tenant: string, attachments: readonly NewAttachment[], kept: StoredFile[]): Promise<NewAttachment[]> {
    const stored: NewAttachment[] = [];
    for (const { content, ...attachment } of attachments) {
      if (!(content instanceof Uint8Array) || content.length <= MAX_INLINE_BYTES) {
        stored.push({ ...attachment, content });
        continue;
      }
      const file = await this.inline.keep(tenant, { ...attachment, content });
      kept.push(file);
      stored.push({ ...attachment, content: file });
    }
    return stored;
  }
}
