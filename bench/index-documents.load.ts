import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { IndexDocumentRequest, IndexDocumentsRequest, IndexDocumentsResponse } from '@sky-genesis/proto';
import type { CorpusMail } from './corpus';
import { MessagesUnderWay } from './messages-under-way';
import type { SearchServiceClient } from './search-service.client';

/** One stream of a tenant: so many messages of so many documents are under way. */
const MESSAGES = 4;
const DOCUMENTS = 250;

export interface Indexed {
  documents: number;
  seconds: number;
}

/** IndexDocuments, a stream for each tenant: from the first document to the last answer. */
export async function indexDocumentsLoad(
  client: SearchServiceClient,
  tokens: ReadonlyMap<string, string>,
  mails: Iterable<CorpusMail>,
  progress: (documents: number) => void,
): Promise<Indexed> {
  const begin = performance.now();
  const streams = new Map([...tokens].map(([tenant, token]) => [tenant, new IndexStream(client.indexDocuments(token))]));
  let documents = 0;
  for (const mail of mails) {
    // Waits where the stream has enough under way, and so goes at the pace of the slowest.
    await streams.get(mail.tenant)?.add(requestOf(mail));
    if (++documents % 10_000 === 0) progress(documents);
  }
  await Promise.all([...streams.values()].map((stream) => stream.end()));
  return { documents, seconds: (performance.now() - begin) / 1000 };
}

class IndexStream {
  private readonly underWay = new MessagesUnderWay(DOCUMENTS);
  private readonly ended: Promise<void>;
  private readonly running = new Set<Promise<void>>();
  private waiting: IndexDocumentRequest[] = [];

  constructor(private readonly call: ClientDuplexStream<IndexDocumentsRequest, IndexDocumentsResponse>) {
    this.ended = new Promise((resolve) => {
      call.once('end', resolve);
      call.once('error', (error) => {
        this.underWay.fail(error);
        resolve();
      });
    });
    call.on('data', ({ results }: IndexDocumentsResponse) => {
      for (const { requestRef, response } of results) this.underWay.answered(requestRef, response !== undefined);
    });
  }

  async add(request: IndexDocumentRequest): Promise<void> {
    this.waiting.push(request);
    if (this.waiting.length === DOCUMENTS) await this.send();
  }

  async end(): Promise<void> {
    // The last message may have fewer: those that are missing count as answered.
    if (this.waiting.length > 0) await this.send();
    await Promise.all(this.running);
    this.call.end();
    await this.ended;
  }

  private async send(): Promise<void> {
    while (this.running.size >= MESSAGES) await Promise.race(this.running);
    const { refs, done } = this.underWay.begin();
    const requests = this.waiting.map((request, i) => ({ ...request, requestRef: refs[i] ?? '' }));
    this.waiting = [];
    const running = done.finally(() => this.running.delete(running));
    this.running.add(running);
    running.catch(() => undefined);
    this.call.write({ requests, deletions: [], source: '', checkpoint: '', throughMs: '0' });
    for (const ref of refs.slice(requests.length)) this.underWay.answered(ref, true);
  }
}

function requestOf({ id, title, content, url, attributes, timestamp }: CorpusMail): IndexDocumentRequest {
  const values = Object.fromEntries(Object.entries(attributes).map(([name, list]) => [name, { values: list }]));
  return {
    document: { id, title, content, url, attributes: values, timestamp: String(timestamp), version: '0' },
    requestRef: '',
    tenant: '',
  };
}
