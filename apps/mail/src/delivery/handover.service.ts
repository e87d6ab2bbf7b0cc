import { Injectable, Logger } from '@nestjs/common';
import { formatEmailId } from '../emails/email-id';
import { ObjectStore, type StoredObject } from '../files/object.store';
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
  private readonly logger = new Logger(HandoverService.name);

  constructor(
    private readonly store: DeliveryStore,
    private readonly objects: ObjectStore,
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
    const message = await toMime(email, attachments, (object) => this.read(email, object));
    return this.relays.send(envelope, message, (relay, reached) =>
      markDataSent(
        email,
        relay,
        reached.flatMap((address) => positionOf.get(address) ?? []),
      ),
    );
  }

  private async *read({ id, attemptNo: attempt }: OutgoingEmail, object: StoredObject): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* this.objects.read(object, 0, object.size);
    } catch (err) {
      this.logger.error({ err, id: formatEmailId(id), attempt, object: object.id }, 'an attachment cannot be read: the mail is put off');
      throw err;
    }
  }

  close(): void {
    this.relays.close();
  }
}
