import { numberOfAge, numberOfSize, numberOfTime } from './operator-values';
import type { QueryNode, TextField } from './query';

/** Operators that look for words, and where. */
const textOperators = {
  from: 'from',
  to: 'to',
  cc: 'cc',
  bcc: 'bcc',
  subject: 'title',
  body: 'content',
  filename: 'filename',
} as const satisfies Record<string, TextField>;

/** The states that a mail can be in: `recipientStatuses` of apps/mail. */
export const statuses = [
  'scheduled',
  'queued',
  'sending',
  'sent',
  'deferred',
  'delivered',
  'uncertain',
  'bounced',
  'complained',
  'suppressed',
  'canceled',
  'expired',
  'failed',
] as const;

/** An operator that looks for no words: what its value must be, in words for the caller, and what it then means. */
interface ValueOperator {
  takes: string;
  /** undefined: the value is none of those that it takes. */
  read: (value: string, now: Date) => QueryNode | undefined;
}

const TIME = 'a day such as 2026-01-05 or 2026/01/05, a time such as 2026-01-05T10:00:00Z, or unix seconds';
const AGE = 'a number and one of h, d, w, m and y, such as 7d for seven days or 3m for three months';
const SIZE = 'a number of bytes, or of K, M or G, such as 500, 10K or 5M';

const valueOperators = {
  has: {
    takes: 'attachment',
    read: (value) => (/^attachments?$/i.test(value) ? { kind: 'equals', field: 'has_attachment', values: ['true'] } : undefined),
  },
  is: {
    takes: `one of ${statuses.join(', ')}`,
    read: (value) => {
      const status = statuses.find((one) => one === value.toLowerCase());
      return status && { kind: 'equals', field: 'status', values: [status] };
    },
  },
  before: { takes: TIME, read: (value) => range('timestamp', '<', numberOfTime(value)) },
  after: { takes: TIME, read: (value) => range('timestamp', '>=', numberOfTime(value)) },
  newer_than: { takes: AGE, read: (value, now) => range('timestamp', '>=', numberOfAge(value, now)) },
  older_than: { takes: AGE, read: (value, now) => range('timestamp', '<', numberOfAge(value, now)) },
  larger: { takes: SIZE, read: (value) => range('size', '>', numberOfSize(value)) },
  smaller: { takes: SIZE, read: (value) => range('size', '<', numberOfSize(value)) },
} as const satisfies Record<string, ValueOperator>;

function range(field: string, comparison: '<' | '>' | '>=', value: number | undefined): QueryNode | undefined {
  return value === undefined ? undefined : { kind: 'range', field, comparison, value };
}

export type TextOperatorName = keyof typeof textOperators;
export type ValueOperatorName = keyof typeof valueOperators;
export type OperatorName = TextOperatorName | ValueOperatorName;

export const isOperator = (name: string): name is OperatorName => Object.hasOwn(textOperators, name) || Object.hasOwn(valueOperators, name);

/** Where an operator looks for words; undefined: it takes a value instead. */
export const textFieldOf = (name: OperatorName): TextField | undefined =>
  Object.hasOwn(textOperators, name) ? textOperators[name as TextOperatorName] : undefined;

export const valueOperatorOf = (name: ValueOperatorName): ValueOperator => valueOperators[name];
