import { Injectable } from '@nestjs/common';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { checkLine, checkMailbox, Violations } from './check-fields';
import { emailNotFound } from './email-id';
import { emailStatus, type RecipientStatus } from './email-status';
import { EmailStore } from './email.store';
import type { RecipientEvent } from './recipient-states';
import { ResolutionStore } from './resolution.store';

/** As the contract's ResolveEmailRequest, the id aside. */
export interface Resolution {
  resolution: string;
  recipient: string;
  note: string;
}

const EVENTS: Record<string, RecipientEvent> = { sent: 'resolved_sent', resend: 'resolved_resend', failed: 'resolved_failed' };
const MAX_NOTE = 512;

/** Settles a doubt, by the word of somebody who found out. */
@Injectable()
export class ResolveEmail {
  constructor(
    private readonly resolutions: ResolutionStore,
    private readonly emails: EmailStore,
  ) {}

  /**
   * @returns the mail's status afterwards
   * @throws RuleError INVALID_ARGUMENT, EMAIL_NOT_FOUND, NOTHING_TO_RESOLVE, EMAIL_BUSY
   */
  async resolve(tenant: string, id: string, given: Resolution): Promise<RecipientStatus> {
    const { event, address } = check(given);
    const result = await this.resolutions.resolve(tenant, id, { event, address, note: given.note });
    if (result === 'busy') throw new RuleError('EMAIL_BUSY', undefined, { retryAfterSeconds: 1 });
    const email = await this.emails.find(tenant, id);
    if (!email) throw emailNotFound();
    if (result === 'none') throw new RuleError('NOTHING_TO_RESOLVE');
    return emailStatus(email.recipients.map(({ status }) => status));
  }
}

function check({ resolution, recipient, note }: Resolution): { event: RecipientEvent; address: string | undefined } {
  const violations = new Violations();
  const event = Object.hasOwn(EVENTS, resolution) ? EVENTS[resolution] : undefined;
  if (!event) violations.add('resolution', `must be one of ${Object.keys(EVENTS).join(', ')}`);
  checkLine('note', note, MAX_NOTE, violations);
  const address = recipient === '' ? undefined : checkMailbox('recipient', recipient, violations)?.address;
  if (!event || violations.found.length > 0) throw new InvalidArgumentError(violations.found);
  return { event, address };
}
