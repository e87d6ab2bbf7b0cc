import { Counter, Gauge, Histogram } from '@sky-genesis/observability';
import type { Outcome } from './decide-outcome';
import type { OutgoingEmail } from './outgoing-email';

export const leasesTakenOverTotal = new Counter({
  name: 'mail_leases_taken_over_total',
  help: 'Emails claimed whose worker had not renewed its lease: it was killed, hung, or lost the database.',
});

const attemptsTotal = new Counter({
  name: 'mail_attempts_total',
  help: 'Attempts recorded, by what came of them: accepted, refused, deferred, uncertain, connection_failed.',
  labelNames: ['outcome'],
});

const handoverDurationSeconds = new Histogram({
  name: 'mail_handover_duration_seconds',
  help: 'From the beginning of an attempt to what the relay made of it.',
  labelNames: ['outcome'],
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
});

const acceptToSentSeconds = new Histogram({
  name: 'mail_accept_to_sent_seconds',
  help: 'From accepting an email, or from its send_at where that is later, to a relay taking it for some recipient.',
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400],
});

export const overdueEmails = new Gauge({
  name: 'mail_overdue',
  help: 'Emails in a state for longer than it may last; 1000 stands for so many or more. `hanging` is about this process alone.',
  labelNames: ['state'],
});

export const oldestDueSeconds = new Gauge({
  name: 'mail_oldest_due_seconds',
  help: 'How long the email that is due longest has waited for a worker; 0 when none is due, NaN when that is not known.',
});

export const jobs = new Gauge({
  name: 'mail_jobs',
  help: 'Emails with somebody to reach: due, held by a worker, or due later (scheduled or put off); 10000 stands for so many or more.',
  labelNames: ['state'],
});

/** Counts an attempt that is on record. */
export function observeRecorded(email: OutgoingEmail, { attempt, recipients }: Outcome): void {
  if (!attempt) return;
  const { outcome, durationMs } = attempt;
  attemptsTotal.inc({ outcome });
  // Told of a worker that died: nobody knows how long that took.
  if (!email.dataSent) handoverDurationSeconds.observe({ outcome }, durationMs / 1000);
  if (!recipients.some(({ event }) => event === 'taken')) return;
  const mayLeaveAt = Math.max(email.createdAt.getTime(), email.sendAt?.getTime() ?? 0);
  acceptToSentSeconds.observe(Math.max(Date.now() - mayLeaveAt, 0) / 1000);
}
