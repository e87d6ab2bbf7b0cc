import { H3, Http3Error } from './http3-error';
import type { FieldLine } from './qpack';

/** As Node's: names in lower case; an array where a name comes more than once. */
export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderFields;
}

/** @throws Http3Error `violation`, H3_MESSAGE_ERROR: anything but one `:status` of three digits and names in lower case (RFC 9114, 4.1.2) */
export function responseHead(lines: readonly FieldLine[]): ResponseHead {
  const [first, ...others] = lines;
  if (first?.[0] !== ':status' || !/^[1-9]\d\d$/.test(first[1])) throw new Http3Error('violation', H3.MESSAGE_ERROR);
  return { status: Number(first[1]), headers: headerFields(others) };
}

/** @throws Http3Error `violation`, H3_MESSAGE_ERROR: a name with a colon or in upper case */
export function headerFields(lines: readonly FieldLine[]): HeaderFields {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of lines) {
    if (!/^[^:A-Z]+$/.test(name)) throw new Http3Error('violation', H3.MESSAGE_ERROR);
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(fields);
}

export function fieldLines(fields: HeaderFields): FieldLine[] {
  return Object.entries(fields).flatMap(([name, values]) => [values].flat().map((value): FieldLine => [name.toLowerCase(), value]));
}
