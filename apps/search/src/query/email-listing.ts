import { statuses } from './operators';
import type { QueryNode } from './query';

/**
 * A search as MailService.ListEmails can answer it, newest first. Numbers are whole unix seconds; absent: not filtered.
 *
 * ListEmails compares an address whole, the part before the @ as it is written, and `to` with cc and bcc, too; it takes
 * accents for part of a letter. So what it gives the search would find, too, or would but for `to`, as a copy; it may give less.
 */
export interface EmailListing {
  from?: string;
  to?: string;
  /** Words, separated by spaces. */
  subject?: string;
  status?: string;
  /** Exclusive, as in ListEmailsRequest. */
  createdAfter?: number;
  /** Exclusive, as in ListEmailsRequest. */
  createdBefore?: number;
  /**
   * Emails with a smaller timestamp are to be left out of what ListEmails gives. It knows parts of seconds, and "from
   * this second on" cannot be said with an exclusive bound in whole ones, so `createdAfter` lets the second before in.
   */
  notBefore?: number;
}

/** What `checkMailbox` of apps/mail takes for sure; of others the search engine alone knows what they are. */
const ADDRESS = /^[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/i;
const MAX_LOCAL_PART = 64;
const MAX_ADDRESS = 254;
const MAX_LABEL = 63;
/** A word that PostgreSQL's parser and ours cut and fold alike. */
const PLAIN_WORD = /^[a-z][a-z0-9]*$/i;
const MAX_SUBJECT = 256;

/** @returns undefined where ListEmails cannot answer it, or would find something else */
export function toEmailListing(where: QueryNode): EmailListing | undefined {
  const listing: EmailListing = {};
  for (const node of conditionsOf(where)) {
    const part = partOf(node);
    if (!part) return undefined;
    if (part.subject !== undefined && listing.subject !== undefined) part.subject = `${listing.subject} ${part.subject}`;
    else if (Object.keys(part).some((name) => Object.hasOwn(listing, name))) return undefined;
    Object.assign(listing, part);
  }
  return (listing.subject?.length ?? 0) > MAX_SUBJECT ? undefined : listing;
}

const conditionsOf = (node: QueryNode): readonly QueryNode[] => (node.kind === 'all' ? node.of.flatMap(conditionsOf) : [node]);

function partOf(node: QueryNode): EmailListing | undefined {
  switch (node.kind) {
    case 'text':
      return node.match === 'phrase' ? partOfText(node.field, node.text) : undefined;
    case 'equals':
      return partOfEquals(node.field, node.values);
    case 'range':
      return node.field === 'timestamp' ? partOfTime(node.comparison, node.value) : undefined;
    default:
      return undefined;
  }
}

function partOfText(field: string | undefined, text: string): EmailListing | undefined {
  if (field === 'title') return PLAIN_WORD.test(text) ? { subject: text } : undefined;
  if (field === 'from' || field === 'to') return isAddress(text) ? { [field]: text } : undefined;
  return undefined;
}

function partOfEquals(field: string, values: readonly string[]): EmailListing | undefined {
  const [value = ''] = values;
  if (values.length !== 1) return undefined;
  // All that is listed is.
  if (field === 'kind' && value === 'email') return {};
  return field === 'status' && (statuses as readonly string[]).includes(value) ? { status: value } : undefined;
}

/** The search compares whole seconds, rounded down; ListEmails the exact time. */
function partOfTime(comparison: string, value: number): EmailListing | undefined {
  const second = comparison === '>' || comparison === '<=' ? Math.floor(value) + 1 : Math.ceil(value);
  if (comparison.startsWith('<')) return second > 0 ? { createdBefore: second } : undefined;
  // 0 stands for no bound there; nothing is older.
  return second > 1 ? { createdAfter: second - 1, notBefore: second } : { notBefore: second };
}

function isAddress(text: string): boolean {
  const at = text.indexOf('@');
  const labels = text.slice(at + 1).split('.');
  return text.length <= MAX_ADDRESS && at <= MAX_LOCAL_PART && labels.every((label) => label.length <= MAX_LABEL) && ADDRESS.test(text);
}
