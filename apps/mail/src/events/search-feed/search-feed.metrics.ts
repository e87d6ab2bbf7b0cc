import { Counter, Gauge } from '@sky-genesis/observability';

let throughMs: number | undefined;

/** Set by the process that feeds search; 0: nothing is claimed yet, and the lag grows from now on. Undefined: another one feeds. */
export function observeThrough(ms: number | undefined): void {
  throughMs = ms === 0 ? Date.now() : ms;
}

export const searchFeedLagSeconds = new Gauge({
  name: 'mail_search_feed_lag_seconds',
  help: 'How old the claim is that search has everything; NaN in processes that do not feed it.',
  collect() {
    this.set(throughMs === undefined ? NaN : Math.max(Date.now() - throughMs, 0) / 1000);
  },
});

export const eventsBehind = new Gauge({
  name: 'mail_search_feed_events_behind',
  help: 'Events of all tenants that search has not been told of, of 10000 tenants at most; NaN in processes that do not feed it.',
});

export const tenantsWalking = new Gauge({
  name: 'mail_search_feed_tenants_walking',
  help: 'Tenants whose mails are still to be read again as a whole, 10000 at most; NaN in processes that do not feed it.',
});

export const emailsSetAside = new Gauge({
  name: 'mail_search_feed_set_aside',
  help: 'Emails that search does not take, as table search_feed_failure tells; 10000 stands for so many or more.',
});

export const documentsTotal = new Counter({
  name: 'mail_search_feed_documents_total',
  help: 'Emails told to search, by what came of it: created, updated, unchanged, deleted, set_aside.',
  labelNames: ['outcome'],
});

/** This process feeds no longer. */
export function observeEnd(): void {
  observeThrough(undefined);
  for (const gauge of [eventsBehind, tenantsWalking, emailsSetAside]) gauge.set(NaN);
}
