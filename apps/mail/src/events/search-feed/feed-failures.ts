import type { RuleError } from '@sky-genesis/grpc/rule-error';
import type { EmailChange } from './email-document';

/** How often a change that search fails at is sent, before it is set aside. */
export const MAX_TRIES = 3;
const MAX_ERROR = 500;

/** A change that search does not take, and why. */
export interface SetAside {
  change: EmailChange;
  /** The code and what search says of it: fields and bounds, nothing of the mail. */
  error: string;
}

/** What is to be done about a change that failed: it is at fault itself, it may be tried again, or search is not well. */
export function verdictOn({ code }: RuleError): 'refused' | 'again' | 'away' {
  switch (code) {
    case 'INVALID_ARGUMENT':
    case 'OUT_OF_RANGE':
    case 'NOT_FOUND':
    case 'ALREADY_EXISTS':
    case 'FAILED_PRECONDITION':
      return 'refused';
    case 'INTERNAL':
    case 'UNKNOWN':
    case 'DATA_LOSS':
      return 'again';
    // Everyone would be refused then, or nobody: nothing is wrong with this one.
    case 'UNAUTHENTICATED':
    case 'PERMISSION_DENIED':
    case 'UNIMPLEMENTED':
    case 'UNAVAILABLE':
    case 'RESOURCE_EXHAUSTED':
    case 'DEADLINE_EXCEEDED':
    case 'ABORTED':
    case 'CANCELLED':
      return 'away';
  }
}

export const setAside = (change: EmailChange, error: RuleError): SetAside => ({
  change,
  error: `${error.code} ${error.message}`.slice(0, MAX_ERROR),
});
