import { Injectable } from '@nestjs/common';
import type { Caller } from '@sky-genesis/grpc/caller';
import { v7 as uuidv7 } from 'uuid';
import { AcceptQueue } from './accept.queue';
import { checkEmail, checkIdempotencyKey } from './check-email';
import { emailFingerprint } from './email-fingerprint';
import { EmailLimits } from './email-limits';
import type { AcceptedEmail, EmailDraft } from './new-email';

/** Accepts a mail: checks it and answers once it is durable, with everything that its delivery needs. */
@Injectable()
export class AcceptEmail {
  constructor(
    private readonly limits: EmailLimits,
    private readonly queue: AcceptQueue,
  ) {}

  /**
   * @param idempotencyKey '' for none
   * @throws RuleError INVALID_ARGUMENT, SENDER_NOT_ALLOWED, IDEMPOTENCY_KEY_REUSED, QUEUE_FULL, OVERLOADED,
   *   DATABASE_UNAVAILABLE, ACCEPT_UNKNOWN
   */
  async accept(draft: EmailDraft, idempotencyKey: string, caller: Caller, signal?: AbortSignal): Promise<AcceptedEmail> {
    checkIdempotencyKey(idempotencyKey);
    const createdAt = new Date();
    const checked = checkEmail(draft, caller.senders, this.limits, createdAt);
    const idempotency = idempotencyKey === '' ? undefined : { key: idempotencyKey, fingerprint: emailFingerprint(checked, draft) };
    return this.queue.submit({ ...checked, id: uuidv7(), tenant: caller.tenant, createdAt, idempotency }, signal);
  }
}
