import type { EmailEvent, ListEventsResponse, WatchEventsResponse } from '@sky-genesis/proto';
import { formatEmailId } from '../emails/email-id';
import type { StoredEvent } from './event.store';
import type { EventListing } from './list-events';
import type { EventBatch } from './watch-events';

export const toListEventsResponse = ({ events, cursor, hasMore }: EventListing): ListEventsResponse => ({
  events: events.map(toEmailEvent),
  cursor: String(cursor),
  hasMore,
});

export const toWatchEventsResponse = ({ events, cursor }: EventBatch): WatchEventsResponse => ({
  events: events.map(toEmailEvent),
  cursor: String(cursor),
});

const toEmailEvent = ({ id, cursor, type, emailId, recipient, status, detail, occurredAtMs }: StoredEvent): EmailEvent => ({
  id: `evt_${id}`,
  cursor: String(cursor),
  type,
  messageId: formatEmailId(emailId),
  recipient,
  status,
  detail,
  occurredAtMs: String(occurredAtMs),
});
