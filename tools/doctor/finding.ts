/** What was looked at, what was found, and what to do where something is wrong. No secrets in any of it. */
export interface Finding {
  what: string;
  state: 'ok' | 'warning' | 'failure';
  found: string;
  todo?: string;
}

/** The longest that one wait of a check may take: a name, a connection, an answer. */
export const WAIT_MS = 3000;

export const ok = (what: string, found: string): Finding => ({ what, state: 'ok', found });
export const warning = (what: string, found: string, todo: string): Finding => ({ what, state: 'warning', found, todo });
export const failure = (what: string, found: string, todo: string): Finding => ({ what, state: 'failure', found, todo });
