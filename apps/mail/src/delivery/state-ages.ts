import type { RecipientStatus } from '../emails/email-status';

/**
 * States that something has yet to end, `sending` in the two ways that it can last: its lease ran out, or it is renewed
 * again and again (`hanging`). Every other state is final, and may last for ever.
 */
export type AgingState = Extract<RecipientStatus, 'queued' | 'scheduled' | 'deferred' | 'sending' | 'uncertain'> | 'hanging';

export interface StateAge {
  /** The longest that is in order. */
  seconds: number;
  /** What it means that it lasts longer. */
  overdue: string;
}

export interface AgeSettings {
  MAIL_OVERDUE_SECONDS: number;
  MAIL_UNCERTAIN_OVERDUE_SECONDS: number;
  MAIL_RELAY_TIMEOUT_SECONDS: number;
  /** How many there are to try. */
  relays: number;
}

/**
 * The longest that each state may last: since the mail was due (queued, scheduled, deferred), since its lease ran out
 * (sending), since it was claimed (hanging), since the doubt (uncertain). What lasts longer is told until it is over.
 */
export const stateAges = (settings: AgeSettings): Record<AgingState, StateAge> => ({
  queued: { seconds: settings.MAIL_OVERDUE_SECONDS, overdue: 'due, and no worker claims it' },
  scheduled: { seconds: settings.MAIL_OVERDUE_SECONDS, overdue: 'send_at has passed, and no worker claims it' },
  deferred: { seconds: settings.MAIL_OVERDUE_SECONDS, overdue: 'the next attempt is due, and no worker claims it' },
  sending: { seconds: settings.MAIL_OVERDUE_SECONDS, overdue: 'its worker is gone, and no other takes it over' },
  hanging: { seconds: longestHandoverSeconds(settings), overdue: 'this process holds it longer than any hand-over takes' },
  uncertain: { seconds: settings.MAIL_UNCERTAIN_OVERDUE_SECONDS, overdue: 'nobody has resolved it' },
});

const CONNECT_SECONDS = 40;
/** Where a relay may be silent for as long as the timeout allows: hello, envelope, message, dot. */
const SILENCES = 4;

/** Each relay tried twice, on a kept connection and on a new one, and as slow as the timeout allows. */
const longestHandoverSeconds = ({ relays, MAIL_RELAY_TIMEOUT_SECONDS }: AgeSettings): number =>
  relays * 2 * (CONNECT_SECONDS + SILENCES * MAIL_RELAY_TIMEOUT_SECONDS);
