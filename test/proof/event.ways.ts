import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientReadableStream, credentials, loadPackageDefinition, Metadata, type ServiceError } from '@grpc/grpc-js';
import { fromServiceError } from '@sky-genesis/grpc';
import { type EmailEvent, type ListEventsResponse, loadPackage, type WatchEventsResponse } from '@sky-genesis/proto';
import type { EventWay, SeenEvent } from './event.reader';

const POLL_MS = 50;
const PAGE = 100;

type Answered<Response> = (error: ServiceError | null, response?: Response) => void;
interface EventsClient extends Client {
  watchEvents(request: object, metadata: Metadata): ClientReadableStream<WatchEventsResponse>;
  listEvents(request: object, metadata: Metadata, done: Answered<ListEventsResponse>): void;
}

/** WatchEvents, over a connection of its own each time. */
export const watchWay =
  (address: string, token: string): EventWay =>
  async (after, signal, take) => {
    const client = clientOf(address);
    try {
      const stream = client.watchEvents({ after }, metadataOf(token));
      signal.addEventListener('abort', () => stream.cancel(), { once: true });
      for await (const { events, cursor } of stream as AsyncIterable<WatchEventsResponse>) take(events.map(fromGrpc), cursor);
    } catch (error) {
      throw fromServiceError(error as ServiceError);
    } finally {
      client.close();
    }
  };

/** ListEvents page by page, and again a moment after the last. */
export const listWay =
  (address: string, token: string): EventWay =>
  async (after, signal, take) => {
    const client = clientOf(address);
    try {
      for (let from = after; !signal.aborted;) {
        const page = await new Promise<ListEventsResponse>((resolve, reject) =>
          client.listEvents({ after: from, pageSize: PAGE }, metadataOf(token), (error, response) =>
            error || !response ? reject(error ? fromServiceError(error) : new Error('no response')) : resolve(response),
          ),
        );
        take(page.events.map(fromGrpc), page.cursor);
        from = page.cursor;
        if (!page.hasMore) await sleep(POLL_MS);
      }
    } finally {
      client.close();
    }
  };

/** Server-Sent Events of the gateway, as a browser does it: the last id seen is the header of the next request. */
export const sseWay =
  (url: string, token: string): EventWay =>
  (after, signal, take) =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream', 'last-event-id': after };
      const sent = request(`${url}/api/v1/events`, { headers, agent: false }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          const frames = text.split('\n\n');
          // The last one has not come to its end: cut here, it never came.
          text = frames.pop()!;
          for (const frame of frames) takeFrame(frame, take, reject);
        });
        response.once('end', resolve).once('error', reject);
        if (response.statusCode !== 200) reject(new Error(`answered ${response.statusCode}`));
      });
      signal.addEventListener('abort', () => sent.destroy(), { once: true });
      sent.once('error', reject).once('close', resolve).end();
    });

function takeFrame(frame: string, take: Parameters<EventWay>[2], reject: (error: Error) => void): void {
  const fields = new Map(frame.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]));
  const [id, data] = [fields.get('id'), fields.get('data')];
  if (fields.get('event') === 'error') reject(new Error(String((JSON.parse(data ?? '{}') as { code?: string }).code)));
  else if (id !== undefined) take(data === undefined ? [] : [fromRest(JSON.parse(data) as RestEvent)], id);
}

function clientOf(address: string): EventsClient {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as {
    sky_genesis: { MailService: new (address: string, secure: unknown, options: object) => EventsClient };
  };
  return new contract.MailService(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  });
}

function metadataOf(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const fromGrpc = ({ occurredAtMs, ...event }: EmailEvent): SeenEvent => ({ ...event, occurredAtMs: Number(occurredAtMs) });

interface RestEvent {
  id: string;
  cursor: string;
  type: string;
  message_id: string;
  recipient?: string;
  status: string;
  detail?: string;
  occurred_at_ms: number;
}

const fromRest = ({ id, cursor, type, message_id, recipient = '', status, detail = '', occurred_at_ms }: RestEvent): SeenEvent => ({
  id,
  cursor,
  type,
  messageId: message_id,
  recipient,
  status,
  detail,
  occurredAtMs: occurred_at_ms,
});
