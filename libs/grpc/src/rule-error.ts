import { type CodeName, type ErrorReason, errorReasons } from './error-reasons';

export type { ErrorReason };

/** A field of the request that is wrong, by its path in the contract (`email.to[0]`), and what it must be. */
export interface FieldViolation {
  field: string;
  description: string;
}

export interface RuleErrorDetails {
  violations?: readonly FieldViolation[];
  /** When asking again makes sense. */
  retryAfterSeconds?: number;
  /** Facts that a program acts on, such as the cursor to go on from: ErrorInfo.metadata. */
  facts?: Readonly<Record<string, string>>;
}

/**
 * What a rule throws when a request cannot be granted. It knows no wire: `toStatus` makes google.rpc.Status of it, and
 * the gateway problem+json of that. The message is for the caller: it names the field and the bound, nothing internal.
 */
export class RuleError extends Error {
  readonly code: CodeName;

  constructor(
    readonly reason: ErrorReason,
    message: string = errorReasons[reason].meaning,
    readonly details: RuleErrorDetails = {},
  ) {
    super(message);
    this.name = new.target.name;
    this.code = errorReasons[reason].code;
  }

  /** The same, with more facts. What caused it stays: it is for the log alone. */
  withFacts(facts: Readonly<Record<string, string>>): RuleError {
    const told = new RuleError(this.reason, this.message, { ...this.details, facts: { ...this.details.facts, ...facts } });
    return Object.assign(told, { cause: this.cause });
  }
}

/** What the caller is told nothing of: an error that no rule threw, or what is behind one that a rule did. */
export const isForTheLog = (error: unknown): boolean => !(error instanceof RuleError) || error.cause !== undefined;

/** The request's fields are wrong: all of them are named at once. */
export class InvalidArgumentError extends RuleError {
  constructor(violations: readonly FieldViolation[]) {
    super('INVALID_ARGUMENT', violations.map(({ field, description }) => `${field}: ${description}`).join('; '), { violations });
  }
}

/** Bounds the messages of gRPC and the bodies of REST alike. */
const SIZE_SETTING = 'GRPC_MAX_MESSAGE_SIZE';

/** What was sent is larger than a message may be: by how much where that is known, and by which setting. */
export class MessageTooLargeError extends RuleError {
  /** @param what such as `the body` */
  constructor(what: string, limitBytes: number, bytes?: number) {
    super('MESSAGE_TOO_LARGE', ...sizeToldOf(what, limitBytes, bytes));
  }
}

/** The text and the facts of something that is over the limit of GRPC_MAX_MESSAGE_SIZE. */
export function sizeToldOf(what: string, limitBytes: number, bytes: number | undefined): [message: string, details: RuleErrorDetails] {
  const size = bytes === undefined ? '' : ` of ${bytes} bytes`;
  return [
    `${what}${size} is larger than ${limitBytes} bytes, the limit that ${SIZE_SETTING} sets`,
    { facts: { limit_bytes: String(limitBytes), setting: SIZE_SETTING, ...(bytes !== undefined && { size_bytes: String(bytes) }) } },
  ];
}
