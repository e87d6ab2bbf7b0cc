import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileContent, ReceivedContent } from './file-content';
import type { FileEntrance } from './file-entrance';
import type { MemoryCurve } from './memory.curve';
import { untilNoneLeft } from './moving';
import type { ProofStack } from './proof-stack';
import type { SeededRandom } from './seeded-random';

const MEBIBYTES = 40;
/** The first delivery takes for good what every later one uses. */
const WARM_UP_MEBIBYTES = 4;
const PATIENCE_MS = 120_000;
const REST_MS = 3000;

export interface Delivered {
  same: boolean;
  bytes: number;
  /** From the submit to the inbox. */
  seconds: number;
  /** Of mail, in MiB: before the submit, and the highest up to the end. */
  before: number;
  peak: number;
}

interface Parts {
  stack: ProofStack;
  entrance: FileEntrance;
  memory: MemoryCurve<'gateway' | 'mail'>;
  random: SeededRandom;
}

/** Sends a mail with a file that was uploaded before, and compares what lies in the inbox. */
export async function deliverAttachment({ stack, entrance, memory, random }: Parts): Promise<Delivered> {
  const small = new FileContent(WARM_UP_MEBIBYTES, random);
  await delivered(stack, await entrance.upload(small));
  const content = new FileContent(MEBIBYTES, random);
  const fileId = await entrance.upload(content);
  await sleep(REST_MS);
  const baseline = memory.baseline('mail');
  memory.mark('delivery of 40 MiB');
  const beganAt = performance.now();
  const path = await delivered(stack, fileId);
  const seconds = (performance.now() - beganAt) / 1000;
  const peak = memory.peakSince('mail', baseline);
  const received = await attachmentIn(path);
  return { same: received.isAllOf(content), bytes: received.bytes, seconds, before: baseline.mebibytes, peak };
}

/** @returns the mail as it lies in the inbox */
async function delivered(stack: ProofStack, fileId: string): Promise<string> {
  const { urls, token } = stack.description;
  const mail = {
    from: 'sender@example.com',
    to: ['recipient@example.org'],
    subject: 'a file',
    body: 'It is attached.',
    attachments: [{ filename: 'file.bin', content_type: 'application/octet-stream', file_id: fileId }],
  };
  const answer = await fetch(new URL('/api/v1/mail/send', urls.gateway), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(mail),
  });
  const told = (await answer.json()) as { message_id?: string };
  if (told.message_id === undefined) throw new Error(`the mail was refused: ${JSON.stringify(told)}`);
  const path = join(stack.inbox, `${told.message_id}.eml`);
  if (!(await untilNoneLeft(() => (existsSync(path) ? 0 : 1), PATIENCE_MS))) throw new Error(`${told.message_id} was not delivered`);
  return path;
}

/** The one attachment of a mail, decoded from its base64 line by line. */
async function attachmentIn(path: string): Promise<ReceivedContent> {
  const received = new ReceivedContent();
  let where: 'before' | 'headers' | 'content' = 'before';
  for await (const line of createInterface({ input: createReadStream(path, 'latin1') })) {
    if (where === 'content' && line.startsWith('--')) break;
    if (where === 'content') received.take(Buffer.from(line, 'base64'));
    else if (where === 'headers' && line === '') where = 'content';
    else if (/^content-disposition: *attachment/i.test(line)) where = 'headers';
  }
  return received;
}
