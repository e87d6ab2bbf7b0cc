/** Who calls, as the token says. */
export interface Caller {
  subject: string;
  tenant: string;
  scopes: ReadonlySet<string>;
  /** Addresses, `*@domain` or `*`: what may stand in `from`. */
  senders: readonly string[];
  /** The product's own service, where it calls on its own behalf: then there is no tenant, and each request names its own. */
  service?: string;
  /** When the token ends, in unix seconds: streams end with it. Infinity for a caller without a token. */
  expiresAt: number;
}
