import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { type GatewayFixture, tokenFor } from './gateway.fixture';

export interface BulkAnswer {
  request_ref?: string;
  message_id?: string;
  id?: string;
  status?: string;
  problem?: { status: number; code: string; detail?: string; errors?: { field: string }[] };
}

/** A bulk request whose lines are written one by one, and whose answers are read meanwhile. */
export class Bulk {
  private text = '';
  private chunks: AsyncIterator<string> | undefined;
  private constructor(readonly request: ClientRequest) {}

  static open(to: GatewayFixture, headers: Record<string, string> = {}, path = '/api/v1/mail/bulk'): Bulk {
    const all = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${tokenFor()}`, ...headers };
    const asked = request(`${to.url}${path}`, { method: 'POST', headers: all });
    asked.on('error', () => undefined);
    asked.flushHeaders();
    return new Bulk(asked);
  }

  write(...lines: (object | string)[]): void {
    for (const line of lines) this.request.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  async response(): Promise<IncomingMessage> {
    const [response] = (await once(this.request, 'response')) as [IncomingMessage];
    this.chunks = response.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
    return response;
  }

  /** The next answer; undefined at the end. */
  async answer(): Promise<BulkAnswer | undefined> {
    while (!this.text.includes('\n')) {
      const { done, value } = await this.chunks!.next();
      if (done) return undefined;
      this.text += value;
    }
    const end = this.text.indexOf('\n');
    const line = this.text.slice(0, end);
    this.text = this.text.slice(end + 1);
    return JSON.parse(line) as BulkAnswer;
  }

  async answers(): Promise<BulkAnswer[]> {
    const found: BulkAnswer[] = [];
    for (let answer = await this.answer(); answer; answer = await this.answer()) found.push(answer);
    return found;
  }
}

/** The answers to these lines, as emails. */
export const bulk = (to: GatewayFixture, ...lines: (object | string)[]): Promise<BulkAnswer[]> => exchange(Bulk.open(to), lines);

/** The answers to these lines, as documents. */
export const documentBulk = (to: GatewayFixture, ...lines: (object | string)[]): Promise<BulkAnswer[]> =>
  exchange(Bulk.open(to, {}, '/api/v1/search/documents/bulk'), lines);

async function exchange(sending: Bulk, lines: (object | string)[]): Promise<BulkAnswer[]> {
  sending.write(...lines);
  sending.request.end();
  await sending.response();
  return sending.answers();
}

export const mailTo = (name: string, more: object = {}) => ({ to: [`${name}@example.com`], ...more });
export const codesOf = (answers: BulkAnswer[]) =>
  answers.map(({ request_ref, message_id, problem }) => [request_ref, message_id ?? problem?.code]);

/** Text that takes as many bytes on the way to a service as it has, though requests are compressed. */
export const incompressible = (characters: number): string => randomBytes((characters * 3) / 4).toString('base64');
