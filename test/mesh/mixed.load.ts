import { setTimeout as delay } from 'node:timers/promises';
import type { Email, ListEmailsRequest, SearchRequest, SubmitEmailRequest } from '@sky-genesis/proto';
import { EdgeClients, grpc } from './edge.clients';
import { bearer, type MeshSystem } from './mesh-system';
import { CallCounts } from './retried.calls';
import { FileStreams } from './file.streams';
import { MailStreams } from './mail.streams';

type Ask = (number: number) => Promise<void>;

/** Unary calls and streams of every kind through the edge, on both wires, at a steady rate, whatever becomes of the answers. */
export class MixedLoad {
  readonly counts = new CallCounts();
  /** Of each accepted mail its subject, and the id that it was accepted under. */
  readonly accepted = new Map<string, string>();
  readonly mailStreams: MailStreams;
  readonly fileStreams: FileStreams;
  private readonly clients: EdgeClients;
  private readonly headers = { authorization: bearer() };
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();
  /** What is read and searched for: a subject is one word that no other mail has. */
  private last = { subject: 'none', id: '' };

  constructor(
    system: MeshSystem,
    private readonly callsPerSecond: number,
  ) {
    this.clients = new EdgeClients(system.edge!);
    this.mailStreams = new MailStreams(this.clients, this.counts, this.accepted);
    this.fileStreams = new FileStreams(this.clients, this.counts);
  }

  start(): void {
    const { signal } = this.stopping;
    this.running = Promise.all([this.callSteadily(signal), this.mailStreams.run(signal), this.fileStreams.run(signal)]);
  }

  /** Resolves when all that is under way is over. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await Promise.all(this.underWay);
    this.clients.close();
  }

  /** Open loop: a call begins when its time has come, however long those before it take. */
  private async callSteadily(signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const mix = this.mix();
    for (let number = 0; !signal.aborted; number++) {
      const [what, ask] = mix[number % mix.length]!;
      const call: Promise<void> = this.counts.call(what, () => ask(number)).finally(() => this.underWay.delete(call));
      this.underWay.add(call);
      const ahead = began + ((number + 1) * 1000) / this.callsPerSecond - performance.now();
      if (ahead > 1) await delay(ahead);
    }
  }

  /** Twenty, in the order in which they come again and again. */
  private mix(): readonly [what: string, ask: Ask][] {
    const { mail, search } = this.clients;
    const options = this.headers;
    const read: [string, Ask] = [
      'gRPC GetEmail',
      async () => (this.last.id === '' ? undefined : void (await grpc(mail.getEmail({ id: this.last.id }, options)))),
    ];
    const readByRest: [string, Ask] = [
      'REST GET mail',
      async () => (this.last.id === '' ? undefined : void (await this.clients.rest('GET', `/api/v1/mail/${this.last.id}`, options))),
    ];
    const submit: [string, Ask] = ['gRPC SubmitEmail', (number) => this.submit(`grpc${number}`)];
    const submitByRest: [string, Ask] = ['REST POST mail/send', (number) => this.submitByRest(`rest${number}`)];
    const find: [string, Ask] = [
      'gRPC Search',
      async () => void (await grpc(search.search({ query: this.last.subject, limit: 5 } as SearchRequest, options))),
    ];
    const findByRest: [string, Ask] = [
      'REST GET search',
      async () => void (await this.clients.rest('GET', `/api/v1/search?q=${this.last.subject}&limit=5`, options)),
    ];
    const list: [string, Ask] = [
      'gRPC ListEmails',
      async () => void (await grpc(mail.listEmails({ pageSize: 5 } as ListEmailsRequest, options))),
    ];
    const listByRest: [string, Ask] = [
      'REST GET events',
      async () => void (await this.clients.rest('GET', '/api/v1/events?after=0&page_size=5', options)),
    ];
    const quarter = [read, readByRest, submit, find, read, readByRest, findByRest];
    return [...quarter, submitByRest, ...quarter, list, listByRest, submitByRest, read, readByRest];
  }

  private async submit(subject: string): Promise<void> {
    const email = { from: 'sender@example.com', to: ['recipient@example.com'], subject, body: subject } as Email;
    const { messageId } = await grpc(this.clients.mail.submitEmail({ email, idempotencyKey: subject } as SubmitEmailRequest, this.headers));
    this.accept(subject, messageId);
  }

  private async submitByRest(subject: string): Promise<void> {
    const body = JSON.stringify({ from: 'sender@example.com', to: ['recipient@example.com'], subject, body: subject });
    const headers = { ...this.headers, 'content-type': 'application/json', 'idempotency-key': subject };
    const answer = await this.clients.rest('POST', '/api/v1/mail/send', headers, body);
    this.accept(subject, (JSON.parse(answer.body) as { message_id: string }).message_id);
  }

  private accept(subject: string, id: string): void {
    this.accepted.set(subject, id);
    this.last = { subject, id };
  }
}
