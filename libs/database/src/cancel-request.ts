import { Connection, type PoolClient } from 'pg';

/** How long a request may take: to be sent, and for PostgreSQL to close its connection, which says that it has acted on it. */
const LIMIT_MS = 1000;

/** What pg has of a connection beside what its types tell. */
interface RawConnection extends Connection {
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
}

interface Session {
  host: string;
  port: number;
  ssl: boolean | object;
  sslNegotiation: string;
  processID: number;
  secretKey: number;
}

/**
 * Asks PostgreSQL to cancel what runs on a connection, by a connection of its own that is encrypted as that one is: pg's own
 * Client.cancel writes the key in the clear. (PostgreSQL, Frontend/Backend Protocol, "Canceling Requests in Progress")
 * @returns false where the request may still reach the connection: then nothing else may be run on it
 */
export function sendCancelRequest(client: PoolClient): Promise<boolean> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as unknown as Session;
  const connection = new Connection({ ssl, sslNegotiation } as object) as RawConnection;
  return new Promise((resolve) => {
    let sent = false;
    const over = (certain: boolean) => {
      clearTimeout(timer);
      connection.stream.destroy();
      resolve(certain);
    };
    const timer = setTimeout(() => over(!sent), LIMIT_MS);
    const send = () => {
      sent = true;
      connection.cancel(processID, secretKey);
    };
    connection.once('connect', () => {
      if (!ssl) send();
      else if (sslNegotiation !== 'direct') connection.requestSsl();
    });
    connection.once('sslconnect', send);
    // Its end follows.
    connection.on('error', () => undefined);
    connection.once('end', () => over(true));
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}
