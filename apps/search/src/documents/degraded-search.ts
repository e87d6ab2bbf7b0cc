import { RuleError } from '@sky-genesis/grpc/rule-error';
import type { EmailSummary, ListEmailsRequest, ListEmailsResponse } from '@sky-genesis/proto';
import type { Answer, Hit, SearchQuestion } from '../engines/search.engine';
import { type EmailListing, toEmailListing } from '../query/email-listing';
import { searchUnavailable } from './search-unavailable';

/** Who the position of a degraded answer belongs to, beside the engines' names. */
export const MAIL = 'mail';

const MAX_PAGE = 100;
const WITHOUT_RANKING =
  'the search engine cannot be reached: these are emails only, listed by sender, recipient, subject and date, the newest first';

/** MailService as far as this needs it. */
export interface EmailLister {
  listEmails(request: ListEmailsRequest, options: { authorization?: string | undefined; timeoutMs?: number }): Promise<ListEmailsResponse>;
}

export interface DegradedQuestion extends Pick<SearchQuestion, 'kinds' | 'where' | 'sort' | 'limit' | 'offset' | 'facets' | 'timeoutMs'> {
  /** Of an answer of this class to the same question. */
  after: string | undefined;
  waitForId: string;
  /** The caller's own: mail decides what it may see. */
  authorization: string | undefined;
}

/** Where a degraded answer goes on: MailService's own token, and how many results were before. */
type Position = [token: string, before: number];

/**
 * Answers for mail while the engine is away, from what MailService lists with the caller's own token. It never answers less
 * than was asked for in silence: what it cannot answer is SEARCH_UNAVAILABLE.
 */
export class DegradedSearch {
  constructor(private readonly mail: EmailLister) {}

  /** @throws RuleError SEARCH_UNAVAILABLE, or what mail refuses the caller with */
  async search(question: DegradedQuestion): Promise<Answer & { degraded: string; next?: string }> {
    const listing = answerable(question) ? toEmailListing(question.where) : undefined;
    if (!listing) throw searchUnavailable();
    const [token, before] = parsePosition(question.after);
    // MailService leaves nothing out: what the offset skips is listed, too.
    const skipped = question.after === undefined ? question.offset : 0;
    const { emails: listed, nextPageToken } = await this.list(requestOf(listing, question.limit + skipped, token), question);
    const emails = listed.filter(({ timestamp }) => Number(timestamp) >= (listing.notBefore ?? 0));
    const seen = before + emails.length;
    // The newest come first: behind one that is too old are only older ones.
    const more = nextPageToken !== '' && emails.length === listed.length;
    return {
      hits: emails.slice(skipped).map(toHit),
      more,
      total: more ? seen + 1 : seen,
      totalIsLowerBound: more,
      facets: [],
      degraded: WITHOUT_RANKING,
      ...(more && { next: JSON.stringify([nextPageToken, seen] satisfies Position) }),
    };
  }

  private async list(request: ListEmailsRequest, { authorization, timeoutMs }: DegradedQuestion): Promise<ListEmailsResponse> {
    try {
      return await this.mail.listEmails(request, { authorization, timeoutMs });
    } catch (error) {
      // The caller's own fault, or its going away, is told as it is; a filter that mail does not take is not the caller's.
      if (error instanceof RuleError && ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'CANCELLED'].includes(error.code)) throw error;
      throw searchUnavailable();
    }
  }
}

/** Whether a list of emails can be an answer at all. Documents are missing in it, which `degraded` says. */
function answerable({ kinds, sort, limit, offset, facets, after, waitForId }: DegradedQuestion): boolean {
  if (!kinds.includes('email') || sort === 'oldest' || facets.length > 0) return false;
  // A list of emails cannot have it.
  if (waitForId !== '' && !waitForId.startsWith('msg_')) return false;
  return after !== undefined || offset + limit <= MAX_PAGE;
}

function parsePosition(position: string | undefined): Position {
  return position === undefined ? ['', 0] : (JSON.parse(position) as Position);
}

function requestOf(listing: EmailListing, pageSize: number, pageToken: string): ListEmailsRequest {
  return {
    pageSize,
    pageToken,
    status: listing.status ?? '',
    from: listing.from ?? '',
    to: listing.to ?? '',
    subject: listing.subject ?? '',
    createdAfter: String(listing.createdAfter ?? 0),
    createdBefore: String(listing.createdBefore ?? 0),
  };
}

const toHit = ({ id, from, to, subject, snippet, timestamp, attachmentCount, status }: EmailSummary): Hit => ({
  id,
  kind: 'email',
  title: subject,
  content: snippet,
  url: `/api/v1/mail/${id}`,
  score: 1,
  highlights: [],
  attributes: { from: [from], to, status: [status], has_attachment: [String(attachmentCount > 0)] },
  timestamp: Number(timestamp),
  position: '',
});
