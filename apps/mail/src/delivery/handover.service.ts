import { Injectable } from '@nestjs/common';
import { formatEmailId } from '../emails/email-id';
import { DeliveryStore } from './delivery.store';
import type { Handover } from './handover';
import { toMime } from './mime.mapper';
import type { OutgoingEmail } from './outgoing-email';
import { SmtpTransport } from './smtp.transport';

/** One attempt: the message built and handed to the relay. */
@Injectable()
export class HandoverService {
  constructor(
    private readonly store: DeliveryStore,
    private readonly transport: SmtpTransport,
    private readonly settings: { returnPath: string | undefined },
  ) {}

  async handOver(email: OutgoingEmail): Promise<Handover> {
    const attachments = email.attachmentCount > 0 ? await this.store.attachments(email) : [];
    const envelope = {
      envid: formatEmailId(email.id),
      from: this.settings.returnPath ?? email.fromAddress,
      to: email.recipients.map(({ address }) => address),
    };
    return this.transport.send(envelope, await toMime(email, attachments));
  }

  close(): void {
    this.transport.close();
  }
}
