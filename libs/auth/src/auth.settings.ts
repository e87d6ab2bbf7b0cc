import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { optionalFlag } from '@sky-genesis/config';
import { z } from 'zod';
import { algorithmsFor } from './key-source';

const MIN_SECRET_BYTES = 32;
const MAX_SECRET_BYTES = 4096;
const KEY_SOURCES = ['AUTH_JWKS_URI', 'AUTH_PUBLIC_KEY', 'AUTH_SECRET'] as const;

/** A PEM in an environment variable often comes with `\n` for its line ends. */
const pem = () => z.string().transform((text) => text.replaceAll('\\n', '\n'));

/** Settings of token verification; an app's schema spreads them and adds `.check(authRules)`. Each may come as `<NAME>_FILE`. */
export const authSettings = {
  AUTH_JWKS_URI: z
    .string()
    .refine(isHttpUrl, 'must be an http or https URL without user and password')
    .optional()
    .describe('Where the keys that verify tokens are published (JWKS). One of AUTH_JWKS_URI, AUTH_PUBLIC_KEY and AUTH_SECRET is needed.'),
  AUTH_PUBLIC_KEY: pem()
    .refine(isPublicKey, 'must be a public key as PEM: RSA of 2048 bits or more, or EC P-256')
    .optional()
    .describe('The public key that verifies tokens, as PEM: RSA (RS256, PS256) or EC P-256 (ES256).'),
  AUTH_SECRET: z
    .string()
    .refine(isSecret, `must be ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} random bytes, and not a PEM`)
    .optional()
    .describe(`The shared secret that verifies tokens (HS256), ${MIN_SECRET_BYTES} bytes or more.`),
  AUTH_ISSUER: z.string().min(1).describe('What `iss` of a token must be.'),
  AUTH_AUDIENCE: z.string().min(1).describe('What `aud` of a token must be or hold.'),
  AUTH_TENANT_REQUIRED: optionalFlag().describe(
    'Whether a token must name its tenant; where it need not, one without gets a space of its own. Default: true with NODE_ENV=production, else false.',
  ),
  SERVICE_KEY: pem()
    .refine(isEd25519PrivateKey, 'must be an Ed25519 private key as PEM')
    .optional()
    .describe("The Ed25519 private key, as PEM, that signs and verifies the calls between the product's own services."),
};

export type AuthSettings = z.infer<z.ZodObject<typeof authSettings>>;

/** What the verification of tokens is set up with; NODE_ENV says whether a tenant is required where no setting does. */
export type TokenSettings = AuthSettings & { NODE_ENV: string };

/** Faults that no single setting shows; reported together with those of the single settings, whatever these are. */
export const authRules = z.superRefine<Partial<AuthSettings>>(
  (settings, report) => {
    const given = KEY_SOURCES.filter((name) => settings[name] !== undefined);
    if (given.length === 1) return;
    const found = given.length === 0 ? 'none is' : `${given.join(' and ')} are`;
    report.addIssue({
      code: 'custom',
      path: [given[0] ?? 'AUTH_SECRET'],
      message: `exactly one of ${KEY_SOURCES.join(', ')} must be set; ${found}`,
    });
  },
  { when: () => true },
);

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

/** A PEM as shared secret would mean that whoever knows the public key can sign. */
function isSecret(text: string): boolean {
  const bytes = Buffer.byteLength(text);
  return bytes >= MIN_SECRET_BYTES && bytes <= MAX_SECRET_BYTES && !text.includes('-----BEGIN');
}

/** createPublicKey would quietly take a private key too, which has no business on a host that only verifies. */
function isPublicKey(text: string): boolean {
  const key = text.includes('PRIVATE KEY') ? undefined : readKey(() => createPublicKey(text));
  return key !== undefined && algorithmsFor(key).length > 0;
}

function isEd25519PrivateKey(text: string): boolean {
  return readKey(() => createPrivateKey(text))?.asymmetricKeyType === 'ed25519';
}

function readKey(read: () => KeyObject): KeyObject | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
