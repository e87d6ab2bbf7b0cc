import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { SAY_NOTHING, ScriptedRelay } from '../../apps/mail/src/delivery/relay.fixture';
import { freePort } from '../../test/free-port';
import { checkRelays } from './relay.check';
import { authority, issue, stranger } from './tls-server.fixture';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** host:port of a real SMTP server, which knows alice by her password. */
async function relay(options: SMTPServerOptions = {}): Promise<string> {
  const server = new SMTPServer({
    authOptional: true,
    closeTimeout: 1,
    onAuth: ({ username, password }, _session, done) =>
      username === 'alice' && password === 'right' ? done(null, { user: 'alice' }) : done(new Error('Invalid login')),
    ...options,
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  closers.push(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return `localhost:${(server.server.address() as AddressInfo).port}`;
}

const ours = issue(authority, 'localhost');
const check = (MAIL_RELAY_URL: string, more = {}) => checkRelays({ MAIL_RELAY_URL, MAIL_RELAY_CA: authority.certificate, ...more });
const failing = (found: RegExp, todo: RegExp) => [
  expect.objectContaining({ state: 'failure', found: expect.stringMatching(found), todo: expect.stringMatching(todo) }),
];

test('one that greets, without and with TLS, and one that takes user and password', async () => {
  expect(await check(`smtp://${await relay({ disabledCommands: ['STARTTLS'] })}`)).toEqual([
    expect.objectContaining({ state: 'ok', found: 'greets, without TLS' }),
  ]);
  const address = await relay(ours);
  expect(await check(`smtp://alice:right@${address}`)).toEqual([
    { what: `relay ${address}`, state: 'ok', found: 'greets, TLSv1.3, takes alice' },
  ]);
});

test('it is spoken to and left in order, and no mail begins', async () => {
  const scripted = await ScriptedRelay.start();
  closers.push(() => scripted.close());
  expect(await check(scripted.url)).toEqual([expect.objectContaining({ state: 'ok' })]);
  expect(scripted.commands.map((command) => command.split(' ')[0])).toEqual(['EHLO', 'QUIT']);
});

test('a wrong password is told as such, and not shown', async () => {
  const findings = await check(`smtp://alice:hunter2@${await relay(ours)}`);
  expect(findings).toEqual(failing(/^refuses user or password/, /MAIL_RELAY_URL/));
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});

test('a certificate of an authority that is not known here', async () => {
  expect(await check(`smtp://${await relay(issue(stranger, 'localhost'))}`)).toEqual(failing(/^TLS: unable to verify/, /MAIL_RELAY_CA/));
});

test('one without TLS where TLS is wanted', async () => {
  const address = await relay({ disabledCommands: ['STARTTLS'] });
  expect(await check(`smtp://${address}`, { MAIL_RELAY_REQUIRE_TLS: true })).toEqual(failing(/^no TLS/, /STARTTLS/));
});

test('none', async () => {
  const port = await freePort();
  expect(await check(`smtp://127.0.0.1:${port}`)).toEqual(failing(/^connection refused/, /start the relay/));
});

test('one that says nothing is told within the time of a check', async () => {
  const scripted = await ScriptedRelay.start({ greeting: SAY_NOTHING });
  closers.push(() => scripted.close());
  expect(await check(scripted.url)).toEqual([
    expect.objectContaining({ state: 'warning', found: expect.stringContaining('says nothing') }),
  ]);
}, 8000);

test('where no process delivers there is nothing to check', async () => {
  expect(await check('smtp://127.0.0.1:1', { MAIL_WORKER: false })).toEqual([]);
});
