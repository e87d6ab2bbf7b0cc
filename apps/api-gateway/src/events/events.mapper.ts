import { InvalidArgumentError, type RuleError } from '@sky-genesis/grpc';
import type { EmailEvent, ListEventsRequest, ListEventsResponse, WatchEventsRequest, WatchEventsResponse } from '@sky-genesis/proto';
import type { z } from 'zod';
import { problemOf } from '../problem/problem.mapper';
import type { event, eventPage, EventsQuery } from './events.schema';

/** How long a browser waits before it asks again. */
const RETRY_MS = 2000;

export const toListEventsRequest = ({ after, types, message_id, page_size }: EventsQuery): ListEventsRequest => ({
  after: after ?? '',
  types: types ?? [],
  messageId: message_id ?? '',
  pageSize: page_size ?? 0,
});

/** `lastEventId` is what a browser has seen when it asks again, with the query of its first time. */
export function toWatchEventsRequest(
  { after, types, message_id, page_size }: EventsQuery,
  lastEventId: string | undefined,
): WatchEventsRequest {
  if (page_size !== undefined) throw new InvalidArgumentError([{ field: 'page_size', description: 'belongs to pages, not to a stream' }]);
  return { after: lastEventId || (after ?? ''), types: types ?? [], messageId: message_id ?? '' };
}

export const fromListEventsResponse = ({ events, cursor, hasMore }: ListEventsResponse): z.output<typeof eventPage> => ({
  events: events.map(fromEvent),
  cursor,
  has_more: hasMore,
});

const fromEvent = (given: EmailEvent): z.output<typeof event> => ({
  id: given.id,
  cursor: given.cursor,
  type: given.type,
  message_id: given.messageId,
  ...(given.recipient && { recipient: given.recipient }),
  status: given.status,
  ...(given.detail && { detail: given.detail }),
  occurred_at_ms: Number(given.occurredAtMs),
});

/** Before anything else of a stream. */
export const RETRY_FIELD = `retry: ${RETRY_MS}\n`;

/**
 * One answer as Server-Sent Events. An id without data is no event, but moves what a browser sends as Last-Event-ID: past
 * what the filter left out, and so also where nothing happened for a while.
 */
export function toFrames({ events, cursor }: WatchEventsResponse): string {
  const frames = events.map((each) => `id: ${each.cursor}\nevent: ${each.type}\ndata: ${JSON.stringify(fromEvent(each))}\n\n`);
  if (events.at(-1)?.cursor !== cursor) frames.push(`id: ${cursor}\n\n`);
  return frames.join('');
}

/** Why a stream ends. */
export const toErrorFrame = (error: RuleError, requestId: string): string =>
  `event: error\ndata: ${JSON.stringify(problemOf(error, requestId))}\n\n`;
