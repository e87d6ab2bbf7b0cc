import { ConfigError } from '@sky-genesis/config';
import type { RunningService } from './start-service';

/**
 * The program of a service: until SIGTERM or SIGINT, then it drains and ends with 0.
 * @param expected what a person can put right, beside ConfigError: told by its message alone
 */
export function runService(start: () => Promise<RunningService>, expected: readonly (new (...args: never[]) => Error)[]): void {
  const fail = (error: unknown): never => {
    console.error([ConfigError, ...expected].some((known) => error instanceof known) ? (error as Error).message : error);
    process.exit(1);
  };
  Promise.resolve()
    .then(start)
    .then((service) => {
      const stop = () => void service.close().then(() => process.exit(0), fail);
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
    })
    .catch(fail);
}
