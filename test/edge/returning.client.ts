import type { EmailEvent } from '@sky-genesis/proto';
import { eventually } from '../eventually';
import type { EdgeWire, GrpcAnswer } from './edge.wire';
import { acceptedId, submitEmail, watchEvents } from './mail.calls';

/** A client as one has to be that outlives its connections: connects again, and repeats what is safe to repeat. */
export class ReturningClient {
  /** What it has sent: of each key the id that it was accepted under. */
  readonly accepted = new Map<string, string>();
  /** The cursors that it has seen, in order. */
  readonly cursors: string[] = [];
  /** Calls that ended without an answer, and why. */
  readonly failures: string[] = [];
  private wire: Promise<EdgeWire> | undefined;
  private isLeaving = false;

  constructor(private readonly connect: () => Promise<EdgeWire>) {}

  /** Sends one mail after the other until it is told to leave; each by its own key, again and again until it is accepted. */
  async send(name: string): Promise<void> {
    for (let count = 0; !this.isLeaving; count++) {
      const key = `${name}-${count}`;
      const answer = await eventually(
        () => this.call((wire) => wire.grpc!(submitEmail(key, key, 5000))),
        (given) => given?.status === 0,
        60_000,
      );
      this.accepted.set(key, acceptedId(answer!)!);
    }
  }

  /** Hears of events until it is told to leave; goes on from the last that it has heard of. */
  async watch(): Promise<void> {
    const hears = (events: EmailEvent[]) => void this.cursors.push(...events.map(({ cursor }) => cursor));
    while (!this.isLeaving) {
      await this.call((wire) => wire.grpc!(watchEvents(this.cursors.at(-1) ?? '0', hears)));
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  /** @returns undefined where no connection could be had */
  async call(ask: (wire: EdgeWire) => Promise<GrpcAnswer>): Promise<GrpcAnswer | undefined> {
    const connecting = (this.wire ??= this.connect());
    try {
      const answer = await ask(await connecting);
      if (answer.status !== undefined) return answer;
      throw new Error(answer.error ?? 'no status');
    } catch (error) {
      this.failures.push((error as Error).message);
      if (this.wire === connecting) this.wire = undefined;
      connecting.then((wire) => wire.close()).catch(() => undefined);
      return undefined;
    }
  }

  /** No more than what is under way is sent. */
  stop(): void {
    this.isLeaving = true;
  }

  /** Ends what is still open, too. */
  async close(): Promise<void> {
    this.stop();
    await this.wire?.then((wire) => wire.close()).catch(() => undefined);
  }
}
