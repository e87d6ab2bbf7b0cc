import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { RuleError } from '@sky-genesis/grpc/rule-error';
import { DatabaseClient, OutcomeUnknownError, sqlState } from '@sky-genesis/database';
import type { ObjectState } from '../files/object.store';
import type { Outcome } from './decide-outcome';
import { CLAIM, MARK, RECORD } from './delivery.statements';
import type { OutgoingAttachment, OutgoingEmail } from './outgoing-email';

/** A worker that does not renew its lease within this time has lost its mails to the others. */
export const LEASE_MS = 15_000;

const MAX_WAIT_MS = 1000;

interface ClaimedRow extends Omit<OutgoingEmail, 'sendAt' | 'onUncertain' | 'dataSent'> {
  /** Where the next claim goes on, where there are more tenants than one claim looks at. */
  walkedTo: string | null;
  sendAt: Date | null;
  onUncertain: OutgoingEmail['onUncertain'] | null;
  dataSentAt: Date | null;
  dataSentTo: string;
  dataSentFor: number[];
}

interface AttachmentRow extends Omit<OutgoingAttachment, 'content'> {
  /** null: it is a file. */
  content: Buffer | null;
  objectId: string;
  objectState: ObjectState;
  size: number;
}

/** The final dot of this mail may leave next, to this relay, for the recipients at these positions. */
export interface DataSentMark {
  email: OutgoingEmail;
  relay: string;
  positions: readonly number[];
}

export interface ClaimRequest {
  limit: number;
  held: readonly string[];
  tenantsHolding: readonly string[];
  placesPerTenant: number;
  after: string | undefined;
}

export interface Claimed {
  emails: OutgoingEmail[];
  walkedTo: string | undefined;
}

/** Jobs as leases: claimed in a short transaction, held while the mail is handed over, given up with the outcome. */
@Injectable()
export class DeliveryStore {
  constructor(private readonly database: DatabaseClient) {}

  /**
   * Claims what is due, at most `limit`, tenants in turn; mails of workers that died among them.
   * @param held what the worker has under way: not claimed again, should its lease have run out meanwhile
   * @param tenantsHolding the tenants of mails that count against `placesPerTenant`, once for each
   * @param after where the last claim ended; undefined: from the beginning
   * @returns `walkedTo`: there are more tenants, from here on
   */
  async claim(worker: string, { limit, held, tenantsHolding, placesPerTenant, after }: ClaimRequest): Promise<Claimed> {
    const values = [worker, limit, LEASE_MS, held, tenantsHolding, placesPerTenant, after ?? ''];
    const rows = await this.database.read<ClaimedRow>({ name: 'job-claim', text: CLAIM, values });
    // Without a claim there is one row, which only says how far the tenants were walked.
    const emails = rows.filter(({ id }) => id !== null).map(toOutgoingEmail);
    return { emails, walkedTo: rows[0]?.walkedTo ?? undefined };
  }

  /** Holds on to what the worker has under way. */
  async renew(worker: string, held: readonly OutgoingEmail[]): Promise<void> {
    const text = `update job j set run_at = now() + make_interval(secs => $2::float8 / 1000)
      from unnest($3::text[], $4::uuid[]) as h(tenant, email_id)
      where j.tenant = h.tenant and j.email_id = h.email_id and j.worker = $1`;
    const values = [worker, LEASE_MS, held.map(({ tenant }) => tenant), held.map(({ id }) => id)];
    await this.database.run({ name: 'job-renew', text, values });
  }

  /**
   * Commits that the final dots may leave. Gives for each whether the worker still holds the mail: if not, it may not.
   * @throws RuleError DATABASE_UNAVAILABLE, OutcomeUnknownError: then it may not either
   */
  async mark(worker: string, marks: readonly DataSentMark[]): Promise<readonly boolean[]> {
    const rows = marks.map(({ email, relay, positions }, i) => {
      return { i, tenant: email.tenant, emailId: email.id, attemptNo: email.attemptNo, relay, positions };
    });
    const values = [worker, JSON.stringify(rows), LEASE_MS];
    const marked = await this.database.run<{ i: number }>({ name: 'job-mark', text: MARK, values });
    const held = new Set(marked.rows.map(({ i }) => i));
    return marks.map((_, i) => held.has(i));
  }

  async attachments({ tenant, id }: OutgoingEmail): Promise<OutgoingAttachment[]> {
    const text = `select a.filename, a.content_type as "contentType", a.content_id as "contentId", a.content,
        c.object_id as "objectId", c.object_state as "objectState", c.size::float8 as size
      from attachment a left join content c on c.tenant = a.tenant and c.sha256 = a.sha256
      where a.tenant = $1 and a.email_id = $2 order by a.position`;
    return (await this.database.read<AttachmentRow>({ name: 'attachments', text, values: [tenant, id] })).map(toOutgoingAttachment);
  }

  /**
   * Records outcomes: attempts, recipients, jobs and events in one transaction. One whose lease was lost changes
   * nothing. While the database is away it goes on trying: what the relay has taken must not be forgotten. Saying it
   * again is safe, since the fence is gone once it was recorded. One that cannot be written fails alone.
   * @param ending aborts when this process can wait no longer: then it rejects
   */
  async record(worker: string, outcomes: readonly Outcome[], ending: AbortSignal): Promise<readonly (boolean | Error)[]> {
    const values = [worker, JSON.stringify(outcomes.map((outcome, i) => ({ i, ...outcome })))];
    for (let attempt = 1; ; attempt++) {
      try {
        const { rows } = await this.database.run<{ i: number }>({ name: 'job-record', text: RECORD, values });
        const recorded = new Set(rows.map(({ i }) => i));
        return outcomes.map((_, i) => recorded.has(i));
      } catch (error) {
        const away = error instanceof RuleError || error instanceof OutcomeUnknownError || sqlState(error).startsWith('40');
        if (!away) return this.recordHalves(worker, outcomes, error as Error, ending);
        await sleep(Math.min(100 * attempt, MAX_WAIT_MS), undefined, { signal: ending });
      }
    }
  }

  /** Mails whose outcome is lost are sent again: a bad one must not take its batch mates along. */
  private async recordHalves(
    worker: string,
    outcomes: readonly Outcome[],
    cause: Error,
    ending: AbortSignal,
  ): Promise<readonly (boolean | Error)[]> {
    if (outcomes.length === 1) return [cause];
    const middle = outcomes.length >> 1;
    return [
      ...(await this.record(worker, outcomes.slice(0, middle), ending)),
      ...(await this.record(worker, outcomes.slice(middle), ending)),
    ];
  }
}

function toOutgoingEmail(row: ClaimedRow): OutgoingEmail {
  const { walkedTo: _, dataSentAt: at, dataSentTo: relay, dataSentFor: positions, sendAt, onUncertain, ...email } = row;
  return {
    ...email,
    sendAt: sendAt ?? undefined,
    onUncertain: onUncertain ?? undefined,
    dataSent: at ? { at, relay, positions } : undefined,
  };
}

const toOutgoingAttachment = ({ content, objectId: id, objectState: state, size, ...row }: AttachmentRow): OutgoingAttachment => ({
  ...row,
  content: content ?? { id, state, size },
});
