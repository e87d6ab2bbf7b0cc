import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MessageIdScanner } from './message-id';

/** What one write to the file may hold: most mails are a single one. */
const WRITE_BYTES = 65_536;

/** The mail is larger than the inbox takes. */
export class MailTooLargeError extends Error {
  constructor(readonly maxBytes: number) {
    super(`the mail is larger than ${maxBytes} bytes`);
    this.name = 'MailTooLargeError';
  }
}

/** A folder of mails, each whole or not there: it grows in a file aside and is then moved to its name. */
export class Inbox {
  private readonly incoming: string;

  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {
    this.incoming = join(folder, '.incoming');
  }

  /** Makes the folder, and drops what a killed sink left half written. */
  async prepare(): Promise<void> {
    await rm(this.incoming, { recursive: true, force: true });
    await mkdir(this.incoming, { recursive: true, mode: 0o700 });
  }

  /**
   * Keeps one mail as it comes and returns its file name: `<message_id>.eml`, or a name made here for a mail that is not
   * ours. The same mail again replaces the first. A mail that breaks off or is too large leaves nothing.
   * @throws MailTooLargeError, after reading it to its end
   */
  async receive(mail: AsyncIterable<Buffer>): Promise<string> {
    const aside = join(this.incoming, randomUUID());
    try {
      const messageId = await this.write(aside, mail);
      const name = `${messageId ?? `mail_${randomUUID()}`}.eml`;
      await rename(aside, join(this.folder, name));
      return name;
    } catch (error) {
      await rm(aside, { force: true });
      throw error;
    }
  }

  private async write(path: string, mail: AsyncIterable<Buffer>): Promise<string | undefined> {
    const scanner = new MessageIdScanner();
    const file = await open(path, 'wx', 0o600);
    try {
      let bytes = 0;
      let waiting: Buffer[] = [];
      let waitingBytes = 0;
      const flush = async (): Promise<void> => {
        if (waitingBytes > 0) await file.writev(waiting);
        waiting = [];
        waitingBytes = 0;
      };
      for await (const chunk of mail) {
        bytes += chunk.length;
        if (bytes > this.maxBytes) continue;
        scanner.add(chunk);
        waiting.push(chunk);
        waitingBytes += chunk.length;
        if (waitingBytes >= WRITE_BYTES) await flush();
      }
      if (bytes > this.maxBytes) throw new MailTooLargeError(this.maxBytes);
      await flush();
    } finally {
      await file.close();
    }
    return scanner.messageId();
  }
}
