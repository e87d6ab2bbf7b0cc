import { connect, type Socket } from 'node:net';
import { WAIT_MS } from './finding';

/** Where something should listen, and which setting says so. */
export interface Place {
  host: string;
  port: number;
  /** Such as GRPC_MAIL_SERVICE_ADDR: what a person changes when the place is wrong. */
  setting: string;
}

/** No connection, with what to do about it. */
export class UnreachableError extends Error {
  constructor(
    found: string,
    readonly todo: string,
  ) {
    super(found);
    this.name = new.target.name;
  }
}

/**
 * A TCP connection, within `WAIT_MS`.
 * @param who what should listen there, such as `mail`
 * @throws UnreachableError
 */
export async function reach(who: string, { host, port, setting }: Place): Promise<Socket> {
  const socket = connect({ host: unbracketed(host), port });
  // Whoever waits for the connection hears of it; later ones are the reader's.
  socket.on('error', () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.setTimeout(WAIT_MS, () => reject(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
      socket.once('connect', resolve).once('error', reject);
    });
    return socket.setTimeout(0);
  } catch (error) {
    socket.destroy();
    throw unreachable(who, { host, port, setting }, error as NodeJS.ErrnoException);
  }
}

/** As it stands in addresses: IPv6 in brackets. */
export const addressOf = ({ host, port }: Pick<Place, 'host' | 'port'>): string =>
  `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;

/** `[::1]` as sockets want it. */
export const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');

function unreachable(who: string, { host, port, setting }: Place, { code, message }: NodeJS.ErrnoException): UnreachableError {
  const where = addressOf({ host, port });
  switch (code) {
    case 'ECONNREFUSED':
      return new UnreachableError(
        `connection refused by ${where}`,
        `Nothing listens there: start ${who}, or put right where it is (${setting}).`,
      );
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return new UnreachableError(`the name ${host} does not resolve`, `Put right the host in ${setting}, or the DNS that knows it.`);
    case 'ETIMEDOUT':
      return new UnreachableError(
        `no connection to ${where} within ${WAIT_MS / 1000} s`,
        `The host is down, or a firewall drops what comes: check both, and ${setting}.`,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new UnreachableError(`no route to ${where}`, `Check the network of this machine, and ${setting}.`);
    default:
      return new UnreachableError(`no connection to ${where}: ${code ?? message}`, `Check ${setting}.`);
  }
}
