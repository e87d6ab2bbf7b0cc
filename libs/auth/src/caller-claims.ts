import { domainToASCII } from 'node:url';
import type { Caller } from '@sky-genesis/grpc';
import { scopes } from './scopes';

const TENANT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Neither control characters nor half surrogates: two subjects that PostgreSQL stores alike would share a tenant. */
const SUBJECT = /^[^\p{Cc}\p{Cs}]{1,255}$/u;
const LOCAL_PART = /^[^\s@\p{C}<>(),;:"[\]\\]{1,64}$/u;
const DOMAIN = /^[^\s@\p{C}<>(),;:"[\]\\*]{1,253}$/u;
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]{1,64}$/;
const MAX_SCOPES = 64;
const MAX_SENDERS = 100;

/** The claims that make a Caller, beside those that say where and when a token is valid. */
export interface CallerClaims {
  sub: string;
  tenant?: string;
  /** Separated by spaces. */
  scope?: string;
  /** Addresses and `*@domain` that may stand in `from`; else `email`. */
  senders?: readonly string[] | string;
  email?: string;
}

/** Who calls where no token is asked for: for trying the product on one's own machine. */
export const ANONYMOUS: Caller = {
  subject: 'anonymous',
  tenant: 'anonymous',
  scopes,
  senders: ['*'],
  expiresAt: Infinity,
};

/**
 * Reads the caller from the claims of a verified token.
 * @throws Error with the claim that is wrong; the caller is not told which
 */
export function callerOf(claims: unknown, tenantRequired: boolean): Caller {
  if (typeof claims !== 'object' || claims === null) throw new Error('claims');
  const { exp, sub, tenant, scope, ...from } = claims as Record<string, unknown>;
  // jsonwebtoken checks `exp` only where there is one.
  if (typeof exp !== 'number') throw new Error('exp');
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) throw new Error('sub');
  return {
    subject: sub,
    tenant: tenantOf(tenant, sub, tenantRequired),
    scopes: scopesOf(scope),
    senders: sendersOf(from),
    expiresAt: exp,
  };
}

/** A caller without a tenant has a space of its own: `~` cannot begin the name of a tenant. */
function tenantOf(tenant: unknown, subject: string, required: boolean): string {
  if (tenant === undefined && !required) return `~${subject}`;
  if (typeof tenant !== 'string' || !TENANT.test(tenant)) throw new Error('tenant');
  return tenant;
}

function scopesOf(scope: unknown): ReadonlySet<string> {
  if (scope === undefined) return new Set();
  if (typeof scope !== 'string') throw new Error('scope');
  const scopes = scope.split(' ').filter((name) => name !== '');
  if (scopes.length > MAX_SCOPES || !scopes.every((name) => SCOPE.test(name))) throw new Error('scope');
  return new Set(scopes);
}

function sendersOf({ senders, email, email_verified: verified }: Record<string, unknown>): string[] {
  if (senders !== undefined) {
    const list: unknown =
      typeof senders === 'string'
        ? senders
            .split(',')
            .map((part) => part.trim())
            .filter(Boolean)
        : senders;
    if (!Array.isArray(list) || list.length > MAX_SENDERS) throw new Error('senders');
    return list.map((sender) => senderOf(sender, 'senders'));
  }
  // An address that the issuer has not verified gives no right to write in its name.
  if (email === undefined || verified === false || verified === 'false') return [];
  if (typeof email === 'string' && email.startsWith('*@')) throw new Error('email');
  return [senderOf(email, 'email')];
}

/** An address or `*@domain`, the domain as IDNA has it (lower case, ASCII), as in mail. `*` alone is for ANONYMOUS. */
function senderOf(sender: unknown, claim: string): string {
  const [local, domain, ...more] = typeof sender === 'string' ? sender.split('@', 3) : [];
  if (local === undefined || domain === undefined || more.length > 0) throw new Error(claim);
  if (!LOCAL_PART.test(local) || !DOMAIN.test(domain)) throw new Error(claim);
  const ascii = domainToASCII(domain);
  if (ascii === '') throw new Error(claim);
  return `${local}@${ascii}`;
}
