import { corpus } from './corpus';

const SNIPPET_LENGTH = 200;

/** A page of ListEmails with so many mails, of about 0.4 kB each; always the same. */
export const pageOf = (mails: number): object[] =>
  [...corpus(1, mails)].map(({ title, content, attributes, timestamp }, at) => ({
    // As UUIDv7 has it: the first digits are alike, the last random.
    id: `msg_0193${at.toString(16).padStart(4, '0')}-7a${(at * 7919).toString(16).padStart(2, '0').slice(-2)}-7000-8000-${((at + 1) * 2654435761).toString(16).padStart(12, '0').slice(-12)}`,
    from: attributes.from?.[0] ?? '',
    to: attributes.to ?? [],
    subject: title,
    snippet: content.slice(0, SNIPPET_LENGTH),
    timestamp: String(timestamp),
    attachmentCount: 0,
    status: attributes.status?.[0] ?? '',
  }));
