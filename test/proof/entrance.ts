import type { NewMail } from './new-mail';

export type Answer =
  | { kind: 'accepted'; messageId: string; replayed: boolean }
  /** `reason`: the product's own word, the same on both wires, or the system's (ECONNREFUSED) where it did not answer. */
  | { kind: 'refused'; reason: string };

/** `status`: the mail's afterwards. `reason`: as in `Answer`. */
export type CancelAnswer = { kind: 'answered'; status: string } | { kind: 'refused'; reason: string };

/** A wire to send mails by. */
export interface Entrance {
  readonly name: string;
  /** Never rejects: what went wrong is an answer too. */
  submit(mail: NewMail, idempotencyKey?: string): Promise<Answer>;
}

/** How long an answer is waited for, unless a round says otherwise. */
export const TIMEOUT_MS = 30_000;
