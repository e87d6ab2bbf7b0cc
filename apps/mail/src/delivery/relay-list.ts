/** One relay as the setting names it. */
export interface RelayAddress {
  /** smtp: or smtps:, with user and password where it wants them; nothing else. */
  url: URL;
  /** SMTP connections of one process, at most; undefined: as the setting for all has it. */
  connections: number | undefined;
  /** Mails a second of one process, at most; undefined: no bound. */
  rate: number | undefined;
  /** It has a password and is on another machine: that goes over TLS only, whatever the setting. */
  needsTls: boolean;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;
const BOUNDS = { connections: 200, rate: 100_000 } as const;
const MAX_RELAYS = 16;

/**
 * Reads relays in order of preference, separated by spaces: `smtp://user:password@host:587?connections=5&rate=100`.
 * @throws Error that names the fault, and no password
 */
export function parseRelays(text: string): RelayAddress[] {
  const relays = text.trim().split(/\s+/).map(parseRelay);
  if (relays.length > MAX_RELAYS) throw new Error(`must be ${MAX_RELAYS} relays at most`);
  return relays;
}

function parseRelay(text: string): RelayAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || !isEncoded(url)) {
    throw new Error('must be smtp://host:port or smtps://host:port, user and password percent-encoded');
  }
  const { searchParams } = url;
  const unknown = [...searchParams.keys()].find((name) => !Object.hasOwn(BOUNDS, name));
  if (unknown !== undefined) throw new Error(`may have ?connections= and ?rate=, not ?${unknown}=`);
  const relay = { connections: numberIn(searchParams, 'connections'), rate: numberIn(searchParams, 'rate') };
  url.search = '';
  return { url, ...relay, needsTls: url.password !== '' && !LOOPBACK.test(url.hostname) };
}

function numberIn(parameters: URLSearchParams, name: keyof typeof BOUNDS): number | undefined {
  const text = parameters.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > BOUNDS[name])
    throw new Error(`${name} must be a whole number from 1 to ${BOUNDS[name]}`);
  return value;
}

function isEncoded({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return true;
  } catch {
    return false;
  }
}
