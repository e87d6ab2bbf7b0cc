import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { AcceptEmail } from './accept-email';
import type { AcceptedEmail, EmailDraft } from './new-email';
import type { SubmitAnswer, SubmitRequest, SubmitStream } from './submit-emails';

export const accepted: AcceptedEmail = { id: 'id', status: 'queued', acceptedAt: new Date(), replayed: false };

export interface Taken {
  subject: string;
  decide: (outcome: AcceptedEmail | Error) => void;
}

/** AcceptEmail as far as a stream sees it: the test decides. */
export class HeldAccepts {
  readonly taken: Taken[] = [];

  readonly rule = {
    accept: ({ subject }: EmailDraft) =>
      new Promise<AcceptedEmail>((resolve, reject) => {
        this.taken.push({ subject, decide: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)) });
      }),
  } as unknown as AcceptEmail;

  /** Decides all that is waiting. */
  decideAll(): void {
    for (const { decide } of this.taken.splice(0)) decide(accepted);
  }
}

/** The two ends of a stream in memory. */
export class FakeStream implements SubmitStream {
  /** As they were written: a list a message. */
  readonly written: (readonly SubmitAnswer[])[] = [];
  reads = 0;
  private readonly messages: (readonly SubmitRequest[] | undefined)[] = [];
  private wake: () => void = () => undefined;
  private held: (() => void)[] | undefined;
  private readonly endings = new AbortController();
  private readonly leaving = new AbortController();
  readonly ending = this.endings.signal;
  readonly gone = this.leaving.signal;

  send(requests: readonly SubmitRequest[]): void {
    this.messages.push(requests);
    this.wake();
  }

  halfClose(): void {
    this.messages.push(undefined);
    this.wake();
  }

  end(reason: RuleError): void {
    this.endings.abort(reason);
  }

  leave(): void {
    this.leaving.abort(new RuleError('CANCELLED'));
    this.endings.abort(this.leaving.signal.reason);
  }

  /** From now on the client takes no answers. */
  hold(): void {
    this.held = [];
  }

  take(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const resolve of held) resolve();
  }

  async read(): Promise<readonly SubmitRequest[] | undefined> {
    while (this.messages.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    this.reads++;
    return this.messages.shift();
  }

  write(answers: readonly SubmitAnswer[]): Promise<void> {
    this.written.push(answers);
    const { held } = this;
    return held ? new Promise((resolve) => held.push(resolve)) : Promise.resolve();
  }

  get refs(): string[] {
    return this.written.flat().map(({ requestRef }) => requestRef);
  }

  errorOf(requestRef: string): unknown {
    return this.written.flat().flatMap((answer) => (answer.requestRef === requestRef && 'error' in answer ? [answer.error] : []))[0];
  }
}
