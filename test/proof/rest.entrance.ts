import { Agent, request } from 'node:http';
import { type Answer, type CancelAnswer, type Entrance, TIMEOUT_MS } from './entrance';
import type { NewMail } from './new-mail';
import type { Started } from './started';

interface RestAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** Mail as GET /api/v1/mail/:id tells it, as far as it is looked at here. */
export interface MailStatus {
  status: string;
  subject: string;
  recipients: { address: string; status: string; reason?: string }[];
  attempts: unknown[];
}

/** An event as GET /api/v1/events tells it, as far as it is looked at here. */
export interface ToldEvent {
  cursor: string;
  type: string;
  message_id: string;
  /** Left out: the event is about the whole mail. */
  recipient?: string;
  status: string;
  occurred_at_ms: number;
}

export interface EventPage {
  events: ToldEvent[];
  /** The next page's `after`. */
  cursor: string;
  has_more: boolean;
}

/** The gateway, over connections that are kept. */
export class RestEntrance implements Entrance {
  readonly name = 'REST';
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    private readonly token: string,
    connections: number,
    started: Started,
    private readonly timeoutMs = TIMEOUT_MS,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
    started.onEnd(() => this.agent.destroy());
  }

  async submit(mail: NewMail, idempotencyKey?: string): Promise<Answer> {
    const headers: Record<string, string> = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey };
    try {
      const { status, body } = await this.call('POST', '/api/v1/mail/send', headers, JSON.stringify(mail));
      if (status !== 202) return { kind: 'refused', reason: String(body['code'] ?? status) };
      return { kind: 'accepted', messageId: String(body['message_id']), replayed: body['replayed'] === true };
    } catch (error) {
      return { kind: 'refused', reason: (error as NodeJS.ErrnoException).code ?? String(error) };
    }
  }

  /** Never rejects. */
  async cancel(messageId: string): Promise<CancelAnswer> {
    try {
      const { status, body } = await this.call('POST', `/api/v1/mail/${messageId}/cancel`, {});
      return status === 200
        ? { kind: 'answered', status: String(body['status']) }
        : { kind: 'refused', reason: String(body['code'] ?? status) };
    } catch (error) {
      return { kind: 'refused', reason: (error as NodeJS.ErrnoException).code ?? String(error) };
    }
  }

  /** @throws Error when it is not told */
  async read(messageId: string): Promise<MailStatus> {
    const { status, body } = await this.call('GET', `/api/v1/mail/${messageId}`, {});
    if (status !== 200) throw new Error(`GET of ${messageId} answered ${status}`);
    return body as unknown as MailStatus;
  }

  /** @throws Error when it is not told */
  async events(after: string, pageSize: number): Promise<EventPage> {
    const { status, body } = await this.call('GET', `/api/v1/events?after=${after}&page_size=${pageSize}`, { accept: 'application/json' });
    if (status !== 200) throw new Error(`GET of the events after ${after} answered ${status}`);
    return body as unknown as EventPage;
  }

  /** Settles what is uncertain of a mail. @throws Error when it is refused */
  async resolve(messageId: string, resolution: 'sent' | 'resend', note: string): Promise<void> {
    const { status, body } = await this.call('POST', `/api/v1/mail/${messageId}/resolve`, {}, JSON.stringify({ resolution, note }));
    if (status !== 200) throw new Error(`POST resolve of ${messageId} answered ${status} ${String(body['code'])}`);
  }

  private call(method: string, path: string, more: Record<string, string>, body = ''): Promise<RestAnswer> {
    const content = body === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const headers = { authorization: `Bearer ${this.token}`, ...content, ...more };
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}${path}`, { method, headers, agent: this.agent, timeout: this.timeoutMs }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const told = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
          const replayed = response.headers['idempotency-replayed'] === 'true';
          resolve({ status: response.statusCode ?? 0, body: { ...told, replayed } });
        });
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end(body);
    });
  }
}
