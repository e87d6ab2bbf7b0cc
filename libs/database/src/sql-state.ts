/** The five characters of an SQLSTATE, where PostgreSQL itself answered. */
export function sqlState(error: unknown): string {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof code === 'string' && typeof severity === 'string' ? code : '';
}

/** A reply with an SQLSTATE means that the transaction was rolled back, except where the server ended the session. */
export function refusedByServer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== '' && !state.startsWith('08') && !/^57P0[1-4]$/.test(state);
}

/** Out of resources, canceled by a timeout, or not yet accepting: nothing is wrong with the statement. */
export const isTransient = (error: unknown): boolean => /^(53|57|58)/.test(sqlState(error)) || sqlState(error) === '25006';

/** By request or by a timeout, and rolled back. */
export const isCanceled = (error: unknown): boolean => sqlState(error) === '57014';
