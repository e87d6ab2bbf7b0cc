import { once } from 'node:events';
import { parseRelays, type RelayAddress } from '@sky-genesis/mail/delivery/relay-list';
import { SmtpConnectionFactory, tlsVersionOf } from '@sky-genesis/mail/delivery/smtp-connection.factory';
import type { DoctorSettings } from './doctor.settings';
import { failure, type Finding, ok, warning } from './finding';
import { reach, UnreachableError } from './tcp.probe';

/** Of one wait in the conversation, so that all of it ends within the time of the run. */
const WAITS = { connectMs: 2000, greetingMs: 2000 };
const SILENCE_SECONDS = 2;
const QUIT_MS = 500;

/** Each relay as mail itself would open a connection to it: greeting, TLS, log in, QUIT. No mail is sent. */
export async function checkRelays(settings: DoctorSettings): Promise<Finding[]> {
  if (settings.MAIL_RELAY_URL === undefined || settings.MAIL_WORKER === false) return [];
  return Promise.all(parseRelays(settings.MAIL_RELAY_URL).map((relay) => checkRelay(relay, settings)));
}

async function checkRelay(relay: RelayAddress, settings: DoctorSettings): Promise<Finding> {
  const factory = new SmtpConnectionFactory(
    relay,
    {
      MAIL_RELAY_REQUIRE_TLS: settings.MAIL_RELAY_REQUIRE_TLS ?? false,
      MAIL_RELAY_CA: settings.MAIL_RELAY_CA,
      MAIL_RELAY_EHLO_NAME: settings.MAIL_RELAY_EHLO_NAME,
      MAIL_RELAY_TIMEOUT_SECONDS: SILENCE_SECONDS,
    },
    WAITS,
  );
  const what = `relay ${factory.relay}`;
  const [host, port] = [relay.url.hostname, factory.port];
  try {
    (await reach('the relay', { host, port, setting: 'MAIL_RELAY_URL' })).destroy();
    const connection = await factory.open();
    const tls = tlsVersionOf(connection);
    connection.quit();
    await once(connection, 'end', { signal: AbortSignal.timeout(QUIT_MS) }).catch(() => undefined);
    const found = `greets, ${tls || 'without TLS'}${relay.url.username === '' ? '' : `, takes ${decodeURIComponent(relay.url.username)}`}`;
    return ok(what, found);
  } catch (error) {
    if (error instanceof UnreachableError) return failure(what, error.message, error.todo);
    return refused(what, error as SmtpError);
  }
}

/** What nodemailer tells of a failure. */
interface SmtpError extends Error {
  code?: string;
  response?: string;
  responseCode?: number;
}

function refused(what: string, error: SmtpError): Finding {
  const said = error.response ?? error.message;
  if (error.code === 'EAUTH')
    return failure(what, `refuses user or password: ${said}`, 'Put right user and password in MAIL_RELAY_URL, percent-encoded.');
  // nodemailer puts its own code in place of Node's.
  if (/certificate|altnames/i.test(error.message)) {
    const todo = 'Let MAIL_RELAY_CA hold the authority that signed it; or it has to be renewed, or asked for by a name that it has.';
    return failure(what, `TLS: ${error.message.replace(/; if the root.*$/, '')}`, todo);
  }
  if (error.code === 'ETLS') {
    return failure(what, `no TLS: ${said}`, 'It is wanted (MAIL_RELAY_REQUIRE_TLS, or a password): offer STARTTLS there, or use smtps://.');
  }
  if (error.code === 'ETIMEDOUT') {
    return warning(
      what,
      `says nothing: ${said}`,
      'It hangs, or wants TLS from the first byte (smtps://). A slow greeting may be meant: mail itself waits 30 s.',
    );
  }
  return failure(what, said, 'Look at the log of the relay; MAIL_RELAY_URL says which it is.');
}
