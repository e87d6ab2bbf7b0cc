import { Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { emailNotFound } from './email-id';
import { emailStatus, type RecipientStatus } from './email-status';
import { EmailStore } from './email.store';

/** Stops what has not been handed to a relay yet. */
@Injectable()
export class CancelEmail {
  constructor(private readonly store: EmailStore) {}

  /**
   * @returns the mail's status afterwards; canceling again changes nothing and is no error
   * @throws RuleError EMAIL_NOT_FOUND, NOTHING_TO_CANCEL
   */
  async cancel(tenant: string, id: string): Promise<RecipientStatus> {
    const canceled = await this.store.cancel(tenant, id);
    const email = await this.store.find(tenant, id);
    if (!email) throw emailNotFound();
    const status = emailStatus(email.recipients.map((recipient) => recipient.status));
    if (canceled || status === 'canceled') return status;
    const why = status === 'sending' ? 'it is being handed to the relay right now' : `it is ${status}`;
    throw new RuleError('NOTHING_TO_CANCEL', `nothing is left to cancel: ${why}`);
  }
}
