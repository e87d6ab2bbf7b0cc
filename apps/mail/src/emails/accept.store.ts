import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InvalidArgumentError, RuleError } from '@sky-genesis/grpc/rule-error';
import { DatabaseClient, OutcomeUnknownError, sqlState } from '@sky-genesis/database';
import { acceptStatement, earlierStatement } from './accept.statement';
import { NO_FILE_OF_YOURS } from './check-attachments';
import { type AcceptedEmail, initialStatus, type NewEmail } from './new-email';

type Result = AcceptedEmail | Error;

/** A mail that was accepted, or one of the files for whose sake it was not. */
interface AcceptRow {
  i: number;
  gone: string | null;
}

interface EarlierRow {
  i: number;
  email_id: string;
  /** null: found by its id, not by a key. */
  fingerprint: Buffer | null;
  status: AcceptedEmail['status'] | null;
  accepted_at: Date | null;
}

/** How often a batch is written that was rolled back for no fault of its own. */
const TRIES = 3;
/**
 * When a batch whose fate is not known is looked for and, where it is not there, written again: at once, then after
 * waits that a restart of the database fits into, and that leave time to answer within a caller's deadline.
 */
const SETTLE_AFTER_MS = [0, 50, 100, 200, 400, 800, 1600, 1600];
/** Deadlock or serialization failure: rolled back whole, and worth another try. */
const ROLLED_BACK = /^40/;
/** What a single item can be blamed for: data, constraint, program limit. */
const BAD_ITEM = /^(22|23|54)/;
const UNIQUE_VIOLATION = '23505';

/** Writes batches of mails. Nothing here is guessed: a mail is accepted, refused, or said to be unknown. */
@Injectable()
export class AcceptStore {
  constructor(
    private readonly database: DatabaseClient,
    private readonly limits: { maxQueuedPerTenant: number },
  ) {}

  /** A result for each mail, in order. Of equal keys in one batch the first is written; the others follow it. */
  async write(emails: readonly NewEmail[]): Promise<readonly Result[]> {
    const firsts = new Map<string, NewEmail>();
    for (const email of emails) if (!firsts.has(keyOf(email))) firsts.set(keyOf(email), email);
    const written = [...firsts.values()];
    const results = new Map((await this.writeDistinct(written)).map((result, index) => [written[index], result]));
    const followers = emails.filter((email) => !results.has(email));
    for (const [follower, result] of await this.follow(followers, (email) => firsts.get(keyOf(email)), results))
      results.set(follower, result);
    return emails.map((email) => results.get(email) as Result);
  }

  /** What those get whose key another mail of their batch had first: its answer, if they are the same mail. */
  private async follow(
    followers: readonly NewEmail[],
    firstOf: (email: NewEmail) => NewEmail | undefined,
    results: ReadonlyMap<NewEmail | undefined, Result>,
  ): Promise<Map<NewEmail, Result>> {
    const answers = new Map<NewEmail, Result>();
    const undecided: NewEmail[] = [];
    for (const follower of followers) {
      const first = firstOf(follower);
      const result = results.get(first);
      // That the first was refused or failed says nothing of a follower: with other content it may be the earlier mail.
      if (!result || result instanceof Error) undecided.push(follower);
      else answers.set(follower, replay(follower, first?.idempotency?.fingerprint, result));
    }
    if (undecided.length > 0) {
      const earlier = await this.lookUpOrDoubt(undecided);
      for (const email of undecided) answers.set(email, earlier.get(email) ?? (results.get(firstOf(email)) as Error));
      // A first whose file is gone took no key, and its files need not be theirs.
      const free = undecided.filter((email) => answers.get(email) instanceof InvalidArgumentError);
      const written = free.length > 0 ? await this.write(free).catch((error: unknown) => free.map(() => error as Error)) : [];
      free.forEach((email, index) => answers.set(email, written[index] as Result));
    }
    return answers;
  }

  private async writeDistinct(emails: readonly NewEmail[]): Promise<readonly Result[]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.writeOnce(emails);
      } catch (error) {
        if (error instanceof OutcomeUnknownError) return this.settle(emails);
        if (BAD_ITEM.test(sqlState(error))) return this.halve(emails, error as Error);
        if (!ROLLED_BACK.test(sqlState(error)) || attempt === TRIES) throw error;
      }
    }
  }

  private async writeOnce(emails: readonly NewEmail[]): Promise<readonly Result[]> {
    const { rows } = await this.database.run<AcceptRow>(acceptStatement(emails, this.limits.maxQueuedPerTenant));
    const accepted = new Set(rows.flatMap(({ i, gone }) => (gone === null ? [i] : [])));
    if (accepted.size === emails.length) return emails.map(acceptedNow);
    const others = emails.filter((email, i) => email.idempotency && !accepted.has(i));
    const answers = others.length > 0 ? await this.lookUpOrDoubt(others) : new Map<NewEmail, Result>();
    return emails.map((email, i) => (accepted.has(i) ? acceptedNow(email) : (answers.get(email) ?? refused(email, goneFrom(rows, i)))));
  }

  /** The connection ended before the answer: finds out what was committed, and writes what was not. */
  private async settle(emails: readonly NewEmail[]): Promise<readonly Result[]> {
    const answers = new Map<NewEmail, Result>();
    for (const waitMs of SETTLE_AFTER_MS) {
      await sleep(waitMs);
      try {
        for (const [email, answer] of await this.lookUp(emails)) answers.set(email, answer);
        const missing = emails.filter((email) => !answers.has(email));
        const again = missing.length > 0 ? await this.writeAgain(missing) : [];
        missing.forEach((email, index) => answers.set(email, again[index] as Result));
        break;
      } catch {
        // Away still, or the lost transaction committed late (its ids are there after all): the next round finds out.
      }
    }
    return emails.map((email) => answers.get(email) ?? new RuleError('ACCEPT_UNKNOWN'));
  }

  private async writeAgain(emails: readonly NewEmail[]): Promise<readonly Result[]> {
    return this.writeOnce(emails).catch((error: unknown) => {
      const state = sqlState(error);
      if (BAD_ITEM.test(state) && state !== UNIQUE_VIOLATION) return this.halve(emails, error as Error);
      throw error;
    });
  }

  /** One bad item must not fail its batch mates: halves the batch until it is alone. What one half has stays written. */
  private async halve(emails: readonly NewEmail[], cause: Error): Promise<readonly Result[]> {
    if (emails.length === 1) return [cause];
    const middle = emails.length >> 1;
    const results: Result[] = [];
    for (const half of [emails.slice(0, middle), emails.slice(middle)]) {
      results.push(...(await this.writeDistinct(half).catch((error: unknown) => half.map(() => error as Error))));
    }
    return results;
  }

  /** Once others of the batch are committed, a look-up that fails is told to those alone whom it is about. */
  private async lookUpOrDoubt(emails: readonly NewEmail[]): Promise<Map<NewEmail, Result>> {
    return this.lookUp(emails).catch(() => new Map<NewEmail, Result>(emails.map((email) => [email, new RuleError('ACCEPT_UNKNOWN')])));
  }

  private async lookUp(emails: readonly NewEmail[]): Promise<Map<NewEmail, Result>> {
    const answers = new Map<NewEmail, Result>();
    for (const row of (await this.database.run<EarlierRow>(earlierStatement(emails))).rows) {
      const email = emails[row.i];
      if (!email) continue;
      if (row.email_id === email.id) answers.set(email, acceptedNow(email));
      else if (row.fingerprint && row.status && row.accepted_at && !answers.has(email)) {
        const earlier = { id: row.email_id, status: row.status, acceptedAt: row.accepted_at, replayed: true };
        answers.set(email, replay(email, row.fingerprint, earlier));
      }
    }
    return answers;
  }
}

const keyOf = ({ tenant, id, idempotency }: NewEmail): string => JSON.stringify(idempotency ? [tenant, idempotency.key] : [id]);

const acceptedNow = (email: NewEmail): AcceptedEmail => ({
  id: email.id,
  status: initialStatus(email),
  acceptedAt: email.createdAt,
  replayed: false,
});

function replay(email: NewEmail, fingerprint: Buffer | undefined, earlier: AcceptedEmail): Result {
  return fingerprint && email.idempotency?.fingerprint.equals(fingerprint)
    ? { ...earlier, replayed: true }
    : new RuleError('IDEMPOTENCY_KEY_REUSED', undefined, {
        violations: [{ field: 'idempotency_key', description: 'was used for an email with other content' }],
      });
}

const goneFrom = (rows: readonly AcceptRow[], of: number): string[] =>
  rows.flatMap(({ i, gone }) => (i === of && gone !== null ? [gone] : []));

/** @param gone its files that were deleted after they had been looked up */
function refused({ attachments }: NewEmail, gone: readonly string[]): RuleError {
  const violations = attachments.flatMap(({ content }, index) =>
    !(content instanceof Uint8Array) && gone.includes(content.id)
      ? [{ field: `email.attachments[${index}].file_id`, description: NO_FILE_OF_YOURS }]
      : [],
  );
  return violations.length > 0 ? new InvalidArgumentError(violations) : queueFull();
}

const queueFull = (): RuleError => new RuleError('QUEUE_FULL', undefined, { retryAfterSeconds: 30 });
