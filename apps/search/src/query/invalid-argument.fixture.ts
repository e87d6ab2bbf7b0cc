import { InvalidArgumentError } from '@sky-genesis/grpc/rule-error';

/** What a call is refused for, as `field: description` each; what it gives otherwise. */
export function refusals(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return error.details.violations?.map(({ field, description }) => `${field}: ${description}`);
  }
}
