import { Injectable } from '@nestjs/common';
import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';
import { checkLine, checkMailbox, checkTime, Violations } from './check-fields';
import { recipientStatuses, type RecipientStatus } from './email-status';
import { type EmailFilter, EmailStore, type StoredSummary } from './email.store';
import { formatPageToken, parsePageToken } from './page-token';

/** As the contract's ListEmailsRequest: '' and 0 mean not given; int64 are decimal text. */
export interface EmailQuery {
  pageSize: number;
  pageToken: string;
  status: string;
  from: string;
  to: string;
  createdAfter: string;
  createdBefore: string;
  subject: string;
}

const MAX_PAGE = 100;
const DEFAULT_PAGE = 20;
const MAX_SUBJECT_WORDS = 256;

@Injectable()
export class ListEmails {
  constructor(private readonly store: EmailStore) {}

  /** @throws InvalidArgumentError */
  async list(tenant: string, query: EmailQuery): Promise<{ emails: StoredSummary[]; nextPageToken: string }> {
    const filter = checkFilter(query);
    const pageSize = query.pageSize || DEFAULT_PAGE;
    const beforeId = parsePageToken(query.pageToken, filter);
    // One more than asked for tells whether there is a next page.
    const found = await this.store.list(tenant, filter, beforeId, pageSize + 1);
    const emails = found.slice(0, pageSize);
    const last = found.length > pageSize ? emails.at(-1) : undefined;
    return { emails, nextPageToken: last ? formatPageToken(last.id, filter) : '' };
  }
}

function checkFilter(query: EmailQuery): EmailFilter {
  const violations = new Violations();
  if (query.pageSize < 0 || query.pageSize > MAX_PAGE) violations.add('page_size', `must be 1 to ${MAX_PAGE}, or 0 for ${DEFAULT_PAGE}`);
  if (query.status !== '' && !isStatus(query.status)) violations.add('status', `must be one of ${recipientStatuses.join(', ')}`);
  checkLine('subject', query.subject, MAX_SUBJECT_WORDS, violations);
  const filter: EmailFilter = {
    status: isStatus(query.status) ? query.status : undefined,
    fromAddress: query.from === '' ? undefined : checkMailbox('from', query.from, violations)?.address,
    toAddress: query.to === '' ? undefined : checkMailbox('to', query.to, violations)?.address,
    createdAfter: checkTime('created_after', query.createdAfter, violations),
    createdBefore: checkTime('created_before', query.createdBefore, violations),
    subjectWords: query.subject || undefined,
  };
  if (violations.found.length > 0) throw new InvalidArgumentError(violations.found);
  return filter;
}

const isStatus = (text: string): text is RecipientStatus => (recipientStatuses as readonly string[]).includes(text);
