/** Who calls, as the token says. */
export interface Caller {
  subject: string;
  tenant: string;
  scopes: ReadonlySet<string>;
  /** Addresses, `*@domain` or `*`: what may stand in `from`. */
  senders: readonly string[];
  /** When the token ends, in unix seconds: streams end with it. Infinity for a caller without a token. */
  expiresAt: number;
}
