/** Headers longer than this are not searched: the mail then gets a name of its own. */
const LONGEST_HEADERS = 65_536;

/** The ids that mail gives: nothing else may name a file. */
const OWN_ID = /^msg_[0-9a-f-]{36}$/;

const MESSAGE_ID = /^message-id:[ \t]*<([^<>@\s]+)@[^<>\s]+>/im;

/** Finds the id of one of our mails in the header of a message that comes in pieces, holding no more than the header. */
export class MessageIdScanner {
  private headers = '';
  private done = false;

  /** Takes the next piece of the message. */
  add(chunk: Buffer): void {
    if (this.done) return;
    this.headers += chunk.toString('latin1', 0, LONGEST_HEADERS);
    const end = this.headers.search(/\r?\n\r?\n/);
    if (end >= 0) this.headers = this.headers.slice(0, end);
    this.done = end >= 0 || this.headers.length > LONGEST_HEADERS;
  }

  /** The left part of the Message-ID, when it is one of ours. */
  messageId(): string | undefined {
    const unfolded = this.headers.replace(/\r?\n[ \t]+/g, ' ');
    const id = MESSAGE_ID.exec(unfolded)?.[1];
    return id !== undefined && OWN_ID.test(id) ? id : undefined;
  }
}
