import type { TextField } from '../../query/query';

/** Stands before the words of one field, so that the index itself finds them there; no word begins so. */
export const FIELD_SIGNS: Readonly<Record<Exclude<TextField, 'content'>, string>> = {
  title: '/t',
  from: '/f',
  to: '/o',
  cc: '/c',
  bcc: '/b',
  filename: '/n',
};

/** In documents whose words do not all have a place: see `pairLexeme`. */
export const LONG = '/long';

/**
 * Two words next to each other where one of them could not be given its place (PostgreSQL knows 16,383 places, and 255
 * of one word), so that phrases are found there, too. A hash: there may be very many.
 */
export function pairLexeme(sign: string, first: string, second: string): string {
  const text = `${sign} ${first} ${second}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `/2${(hash >>> 0).toString(36)}`;
}

/** PostgreSQL has no NUL in a text, and takes only whole characters. */
export const storable = (text: string): string => text.toWellFormed().replaceAll('\u0000', '\ufffd');
