import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { TestAuthority } from '../../../../test/test-authority';
import { messageOf } from './outgoing-message.fixture';
import { parseRelays, type RelayAddress } from './relay-list';
import { type RelaySettings, SmtpConnectionFactory } from './smtp-connection.factory';
import { SmtpConnectionPool } from './smtp-connection.pool';
import { SmtpTransport } from './smtp.transport';

const MESSAGE = Buffer.from('Subject: hello\r\n\r\nhello\r\n');
const authority = new TestAuthority();
const certified = authority.issue({ dns: ['localhost'] });
const TLS = { ...certified, hideSTARTTLS: false, disabledCommands: ['AUTH'] } satisfies SMTPServerOptions;

let server: SMTPServer | undefined;
let transport: SmtpTransport | undefined;
/** What smtp-server knew of each mail that it took. */
let mails: { session: SMTPServerSession; bytes: number }[];

/** A relay of another make than the client's, over a real socket, and a transport for it. */
async function start(options: SMTPServerOptions, settings: Settings = {}, address = '127.0.0.1'): Promise<string> {
  mails = [];
  server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1,
    onData: (stream, session, done) => {
      let bytes = 0;
      stream.on('data', (chunk: Buffer) => (bytes += chunk.length));
      stream.on('end', () => {
        mails.push({ session: structuredClone({ ...session, tlsOptions: undefined }), bytes });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, address);
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  connect({ MAIL_RELAY_URL: `smtp://localhost:${port}`, ...withPort(settings, port) });
  return `${address}:${port}`;
}

type Settings = Partial<RelaySettings & { MAIL_RELAY_URL: string }>;

const withPort = (settings: Settings, port: number): Settings =>
  settings.MAIL_RELAY_URL ? { ...settings, MAIL_RELAY_URL: settings.MAIL_RELAY_URL.replace('PORT', String(port)) } : settings;

function connect({ MAIL_RELAY_URL = 'smtp://127.0.0.1:1', ...settings }: Settings): void {
  transport = new SmtpTransport(
    new SmtpConnectionPool(
      new SmtpConnectionFactory(parseRelays(MAIL_RELAY_URL)[0] as RelayAddress, {
        MAIL_RELAY_REQUIRE_TLS: false,
        MAIL_RELAY_CA: undefined,
        MAIL_RELAY_TIMEOUT_SECONDS: 5,
        MAIL_RELAY_EHLO_NAME: 'mail.example',
        ...settings,
      }),
    ),
  );
}

afterEach(async () => {
  transport?.close();
  const running = server;
  if (running) await new Promise<void>((resolve) => running.close(() => resolve()));
  server = transport = undefined;
});

const send = (to = ['a@example.com'], message = MESSAGE, from = 'from@example.com') =>
  (transport as SmtpTransport).send({ envid: 'msg_1=+', from, to }, messageOf(message), () => Promise.resolve());

describe('TLS', () => {
  test('STARTTLS is used where it is offered, and verified by the authorities that are set', async () => {
    await start(TLS, { MAIL_RELAY_CA: authority.certificate });
    expect(await send()).toMatchObject({ outcome: 'accepted', tlsVersion: 'TLSv1.3' });
    expect(mails[0]?.session.secure).toBe(true);
  });

  test('smtps speaks TLS from the first byte, also for a mail larger than the buffers', async () => {
    await start({ ...certified, secure: true }, { MAIL_RELAY_URL: 'smtps://localhost:PORT', MAIL_RELAY_CA: authority.certificate });
    const large = Buffer.alloc(9_000_000, 'abcdefg\r\n');
    expect(await send(['a@example.com'], large)).toMatchObject({ outcome: 'accepted', tlsVersion: 'TLSv1.3' });
    expect(mails[0]?.bytes).toBe(large.length);
  });

  test('an older version is told as what it is', async () => {
    await start({ ...TLS, maxVersion: 'TLSv1.2' }, { MAIL_RELAY_CA: authority.certificate });
    expect((await send()).tlsVersion).toBe('TLSv1.2');
  });

  test.each([
    ['of an authority that is not trusted', {}],
    ['of another authority of the same name', { MAIL_RELAY_CA: new TestAuthority().certificate }],
    ['of another host', { MAIL_RELAY_URL: 'smtp://127.0.0.1:PORT', MAIL_RELAY_CA: authority.certificate }],
  ])('a certificate %s: nothing is sent', async (_, settings) => {
    await start(TLS, settings);
    expect(await send()).toMatchObject({
      outcome: 'connection_failed',
      conversationMs: undefined,
      tlsVersion: '',
      recipients: [{ result: 'unreached' }],
    });
    expect(mails).toHaveLength(0);
  });

  test('a relay without STARTTLS is refused where TLS is required, and taken where it is not', async () => {
    await start({}, { MAIL_RELAY_REQUIRE_TLS: true });
    expect((await send()).outcome).toBe('connection_failed');
    expect(mails).toHaveLength(0);
    connect({ MAIL_RELAY_URL: `smtp://localhost:${(server?.server.address() as AddressInfo).port}` });
    expect(await send()).toMatchObject({ outcome: 'accepted', tlsVersion: '' });
  });
});

describe('AUTH', () => {
  const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) =>
    username === 'us er@example.com' && password === 'p:a/s@s%' ? done(null, { user: 'relay-user' }) : done(new Error('no'));
  const withAuth = { authOptional: false, disabledCommands: ['STARTTLS'], allowInsecureAuth: true, onAuth };
  const url = (password: string) => `smtp://us%20er%40example.com:${password}@localhost:PORT`;

  test.each(['PLAIN', 'LOGIN'])('user and password come from the URL, percent-decoded (%s)', async (method) => {
    await start({ ...withAuth, authMethods: [method] }, { MAIL_RELAY_URL: url('p%3Aa%2Fs%40s%25') });
    expect((await send()).outcome).toBe('accepted');
    expect(mails[0]?.session.user).toBe('relay-user');
  });

  test('a password that is refused is a failure of the connection: it says nothing of the mail', async () => {
    await start(withAuth, { MAIL_RELAY_URL: url('wrong') });
    const handover = await send();
    expect(handover).toMatchObject({ outcome: 'connection_failed', reply: { code: 535 }, recipients: [{ result: 'unreached' }] });
    expect(JSON.stringify(handover)).not.toContain('wrong');
  });
});

describe('extensions', () => {
  test('SMTPUTF8: an address that is not ASCII goes out where the relay has it', async () => {
    await start({});
    expect((await send(['jürgen@example.com'])).outcome).toBe('accepted');
    expect(mails[0]?.session.envelope).toMatchObject({ rcptTo: [{ address: 'jürgen@example.com' }], smtpUtf8: true });
  });

  test.each([
    ['recipient', ['jürgen@example.com'], 'from@example.com', MESSAGE],
    ['sender', ['a@example.com'], 'jürgen@example.com', MESSAGE],
    ['header', ['a@example.com'], 'from@example.com', Buffer.from('Reply-To: jürgen@example.com\r\n\r\nhello\r\n')],
  ])('SMTPUTF8: a %s that needs it fails for good where the relay lacks it', async (_, to, from, message) => {
    await start({ hideSMTPUTF8: true });
    expect(await send(to, message, from)).toMatchObject({
      outcome: 'refused',
      recipients: [{ result: 'unsupported', reason: 'SMTPUTF8_UNSUPPORTED' }],
    });
    expect((await send(['a@example.com'], Buffer.from('Subject: hello\r\n\r\nGrüße\r\n'))).outcome).toBe('accepted');
  });

  test('SIZE: a mail above what the relay takes fails for good, without being sent', async () => {
    await start({ size: 100 });
    expect(await send(['a@example.com'], Buffer.alloc(101, 'a'))).toMatchObject({
      outcome: 'refused',
      recipients: [{ result: 'unsupported', reason: 'RELAY_SIZE_EXCEEDED' }],
    });
    expect((await send(['a@example.com'], Buffer.alloc(98, 'a'))).outcome).toBe('accepted');
  });

  test('DSN: the mail names itself, so that a bounce can be matched', async () => {
    await start({ hideDSN: false });
    await send();
    expect(mails[0]?.session.envelope).toMatchObject({ dsn: { ret: 'HDRS', envid: 'msg_1=+' }, bodyType: '8bitmime' });
  });
});

test('a relay on an IPv6 address', async () => {
  await start({}, { MAIL_RELAY_URL: 'smtp://[::1]:PORT' }, '::1');
  expect(await send()).toMatchObject({ outcome: 'accepted', relay: expect.stringMatching(/^\[::1\]:\d+$/) });
});

test('nobody listens: told, and nothing is held against the mail', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  connect({ MAIL_RELAY_URL: `smtp://127.0.0.1:${port}` });
  const handover = await send();
  expect(handover).toMatchObject({
    outcome: 'connection_failed',
    relay: `127.0.0.1:${port}`,
    tlsVersion: '',
    recipients: [{ result: 'unreached' }],
  });
  expect(handover.reply?.text).toContain('ECONNREFUSED');
});
