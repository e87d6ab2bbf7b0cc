/** Groups of mails that were sent together on a stream, until each mail of the group is answered. */
export class MessagesUnderWay {
  private next = 0;
  private failure: Error | undefined;
  private readonly messages = new Map<number, { left: number; refused: boolean; resolve: () => void; reject: (error: Error) => void }>();

  /** @param mails of one message */
  constructor(private readonly mails: number) {}

  /** @returns a request_ref for each mail of the next message; `done` rejects if any of them is refused */
  begin(): { refs: string[]; done: Promise<void> } {
    if (this.failure) throw this.failure;
    const number = this.next++;
    const done = new Promise<void>((resolve, reject) => this.messages.set(number, { left: this.mails, refused: false, resolve, reject }));
    return { refs: Array.from({ length: this.mails }, (_, i) => `${number}-${i}`), done };
  }

  answered(requestRef: string, accepted: boolean): void {
    const number = Number(requestRef.split('-')[0]);
    const message = this.messages.get(number);
    if (!message) throw new Error(`an answer to ${requestRef}, which was not asked`);
    message.refused ||= !accepted;
    if (--message.left > 0) return;
    this.messages.delete(number);
    if (message.refused) message.reject(new Error('a mail was refused'));
    else message.resolve();
  }

  /** The stream has ended: what is under way is not answered any more, and nothing more can begin. */
  fail(error: Error): void {
    this.failure = error;
    for (const { reject } of this.messages.values()) reject(error);
    this.messages.clear();
  }
}
