import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientDuplexStream, credentials, loadPackageDefinition, Metadata } from '@grpc/grpc-js';
import { loadPackage, type SubmitEmailsRequest, type SubmitEmailsResponse } from '@sky-genesis/proto';
import type { CorpusMail } from './corpus';
import type { SearchServiceClient } from './search-service.client';

type Call = ClientDuplexStream<SubmitEmailsRequest, SubmitEmailsResponse>;
type MailServiceClass = new (
  address: string,
  secure: unknown,
  options: object,
) => { submitEmails(metadata: Metadata): Call; close(): void };

const MESSAGE_EVERY_MS = 20;
/** One of so many mails is waited for. */
const SAMPLE = 25;

export interface Lag {
  /** From the answer of the submit until search found the mail, in milliseconds. */
  lags: number[];
  accepted: number;
  perSecond: number;
  errors: number;
}

/** Mails at a steady rate into MailService/SubmitEmails, and how long search takes until it finds them. */
export async function indexLag(
  mailAddress: string,
  search: SearchServiceClient,
  token: string,
  mails: Iterator<CorpusMail>,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Lag> {
  const { sky_genesis: contract } = loadPackageDefinition(loadPackage()) as unknown as { sky_genesis: { MailService: MailServiceClass } };
  const client = new contract.MailService(mailAddress, credentials.createInsecure(), { 'grpc.enable_channelz': 0 });
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const call = client.submitEmails(metadata);
  const lag: Lag = { lags: [], accepted: 0, perSecond: 0, errors: 0 };
  const waits: Promise<void>[] = [];
  const waitFor = async (id: string, answered: number) => {
    const { results } = await search.search(token, { filters: [`id:${id}`], waitForId: id });
    if (results.length !== 1) throw new Error(`${id} was said to be found, and was not`);
    lag.lags.push(performance.now() - answered);
  };
  call.on('data', ({ results }: SubmitEmailsResponse) => {
    const answered = performance.now();
    for (const { response } of results) {
      if (!response) lag.errors += 1;
      else if (++lag.accepted % SAMPLE === 0) waits.push(waitFor(response.messageId, answered).catch(() => void (lag.errors += 1)));
    }
  });
  const ended = new Promise<void>((resolve) => {
    call.once('end', resolve);
    call.once('error', () => {
      lag.errors += 1;
      resolve();
    });
  });
  const begin = performance.now();
  let sent = 0;
  for (let now = begin; now < begin + seconds * 1000; now = performance.now()) {
    // As many as are due: what a late timer missed is sent with the next message.
    const due = Math.floor(((now - begin) / 1000) * perSecond) - sent;
    if (due > 0) call.write({ requests: Array.from({ length: due }, () => requestOf(mails.next().value as CorpusMail, sent++)) });
    await sleep(MESSAGE_EVERY_MS);
  }
  call.end();
  await ended;
  lag.perSecond = lag.accepted / ((performance.now() - begin) / 1000);
  await Promise.all(waits);
  client.close();
  return lag;
}

function requestOf({ title, content, attributes }: CorpusMail, number: number): SubmitEmailsRequest['requests'][number] {
  const email = {
    id: '',
    from: 'sender@example.com',
    to: attributes['to'] ?? [],
    subject: title,
    body: content,
    timestamp: '0',
    attachments: [],
  };
  return { email, options: undefined, idempotencyKey: '', requestRef: String(number) };
}
