import { setTimeout as sleep } from 'node:timers/promises';
import type { Handover } from './handover';
import type { OutgoingMessage } from './outgoing-message';
import type { Relay } from './relay';
import type { BeforeDot, Envelope } from './smtp.transport';

const WAIT_STEP_MS = 20;
/** How long a mail that is claimed waits for its turn, before it goes back into the queue. */
const LONGEST_WAIT_MS = 15_000;

/**
 * The relays in order of preference. The first that can be reached takes the mails; one that cannot is passed over for
 * a while, then tried with a single mail. One that is at its limit is waited for, not passed over.
 */
export class Relays {
  constructor(
    private readonly relays: readonly Relay[],
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Mails that may begin now. */
  room(): number {
    const now = this.now();
    let room = 0;
    for (const { relay, trusting } of this.inOrder(now)) {
      room += relay.room(now, trusting);
      if (trusting) break;
    }
    return room;
  }

  /** Hands a mail to the first relay that can be reached; what was begun at one is never begun at another. */
  async send(envelope: Envelope, message: OutgoingMessage, beforeDot: BeforeDot): Promise<Handover> {
    const tried = new Set<Relay>();
    let failed: Handover | undefined;
    for (const giveUpAt = this.now() + LONGEST_WAIT_MS; this.now() < giveUpAt;) {
      const order = this.inOrder(this.now()).filter(({ relay }) => !tried.has(relay));
      if (failed && order.length === 0) return failed;
      const choice = order.find(({ relay, trusting }) => trusting || relay.room(this.now(), trusting) > 0);
      if (!choice || choice.relay.room(this.now(), choice.trusting) === 0) {
        await sleep(WAIT_STEP_MS);
        continue;
      }
      failed = await this.sendTo(choice.relay, envelope, message, beforeDot);
      if (failed.outcome !== 'connection_failed') return failed;
      tried.add(choice.relay);
    }
    return failed ?? noneFree(envelope);
  }

  close(): void {
    for (const { transport } of this.relays) transport.close();
  }

  private async sendTo(relay: Relay, envelope: Envelope, message: OutgoingMessage, beforeDot: BeforeDot): Promise<Handover> {
    let handover: Handover | undefined;
    relay.begin();
    try {
      handover = await relay.transport.send(envelope, message, beforeDot);
      return handover;
    } finally {
      // One that ended a conversation is there: the mail may be to blame.
      relay.end(handover?.conversationMs !== undefined, this.now());
    }
  }

  /** Those that are not down; when all are, there is no better one than each. The last resort is never spared. */
  private inOrder(now: number): { relay: Relay; trusting: boolean }[] {
    const up = this.relays.filter((relay) => !relay.isDown(now));
    const tried = up.length > 0 ? up : this.relays;
    return tried.map((relay, i) => ({ relay, trusting: !relay.isDoubtful || i === tried.length - 1 }));
  }
}

const noneFree = ({ to }: Envelope): Handover => ({
  outcome: 'connection_failed',
  relay: '',
  conversationMs: undefined,
  reply: undefined,
  tlsVersion: '',
  recipients: to.map(() => ({ result: 'unreached', reply: undefined, reason: 'RELAY_BUSY' })),
});
