import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';

/**
 * Where the next page begins, for this filter only: a token used with another filter would silently skip mails.
 * Opaque to callers, and checked when it comes back.
 */
export function formatPageToken(lastId: string, filter: unknown): string {
  return Buffer.from(lastId.replaceAll('-', '') + digest(filter), 'hex').toString('base64url');
}

/**
 * @returns the last id of the page before; undefined for the first page
 * @throws InvalidArgumentError
 */
export function parsePageToken(token: string, filter: unknown): string | undefined {
  if (token === '') return undefined;
  const hex = Buffer.from(token, 'base64url').toString('hex');
  if (hex.length !== 48 || hex.slice(32) !== digest(filter)) {
    throw new InvalidArgumentError([{ field: 'page_token', description: 'must be the next_page_token of a page with the same filter' }]);
  }
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const digest = (filter: unknown): string => createHash('sha256').update(JSON.stringify(filter)).digest('hex').slice(0, 16);
