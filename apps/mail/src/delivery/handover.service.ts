import { Injectable } from '@nestjs/common';
import { formatEmailId } from '../emails/email-id';
import { DeliveryStore } from './delivery.store';
import type { Handover } from './handover';
import { toMime } from './mime.mapper';
import type { OutgoingEmail } from './outgoing-email';
import { Relays } from './relays';

/** Commits that the final dot may leave to these positions, by this relay; rejects when it may not. */
export type MarkDataSent = (email: OutgoingEmail, relay: string, positions: readonly number[]) => Promise<void>;

/** One attempt: the message built and handed to a relay. */
@Injectable()
export class HandoverService {
  constructor(
    private readonly store: DeliveryStore,
    private readonly relays: Relays,
    private readonly settings: { returnPath: string | undefined },
  ) {}

  /** Mails that the relays can take now. */
  room(): number {
    return this.relays.room();
  }

  async handOver(email: OutgoingEmail, markDataSent: MarkDataSent): Promise<Handover> {
    const attachments = email.attachmentCount > 0 ? await this.store.attachments(email) : [];
    const envelope = {
      envid: formatEmailId(email.id),
      from: this.settings.returnPath ?? email.fromAddress,
      to: email.recipients.map(({ address }) => address),
    };
    const positionOf = new Map(email.recipients.map(({ address, position }) => [address, position]));
    return this.relays.send(envelope, await toMime(email, attachments), (relay, reached) =>
      markDataSent(
        email,
        relay,
        reached.flatMap((address) => positionOf.get(address) ?? []),
      ),
    );
  }

  close(): void {
    this.relays.close();
  }
}
