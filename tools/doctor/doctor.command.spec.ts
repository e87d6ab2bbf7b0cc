import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../test/free-port';
import { diagnose } from './diagnosis';
import { doctorCommand } from './doctor.command';
import { UsageError } from './doctor.options';
import type { Finding } from './finding';
import { ScriptedRelay, SAY_NOTHING } from '../../apps/mail/src/delivery/relay.fixture';
import { readWhatCanBeRead } from './doctor.settings';

const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const EMPTY = { SGE_DATA_DIR: folder };

test('help tells how it is used', async () => {
  const { text, healthy } = await doctorCommand(['--help'], {}, 80);
  expect(text).toContain('npm run -s doctor');
  expect(healthy).toBe(true);
});

test.each([['--verbose'], ['--app=male']])('%s is refused with what there is', (...args) =>
  expect(doctorCommand(args, EMPTY, 80)).rejects.toThrow(UsageError),
);

test('where nothing runs and nothing is set it says what to do', async () => {
  const { text, healthy } = await doctorCommand([], EMPTY, 80);
  expect(text).toContain('Run npm start');
  expect(healthy).toBe(false);
});

test('a broken set-up: everything that is wrong, each with what to do, as JSON, and no password', async () => {
  const nowhere = `127.0.0.1:${await freePort()}`;
  const environment = {
    ...EMPTY,
    GRPC_MAIL_SERVICE_ADDR: nowhere,
    GRPC_SEARCH_SERVICE_ADDR: 'search.invalid:50052',
    HTTP_PORT: String(await freePort()),
    DATABASE_URL: `postgres://sge:hunter2@${nowhere}/mail`,
    SEARCH_DATABASE_URL: `postgres://sge:hunter2@${nowhere}/search`,
    MAIL_RELAY_URL: `smtp://alice:hunter2@${nowhere}`,
    ETCD_ENDPOINTS: nowhere,
  };
  const { text, healthy } = await doctorCommand(['--json'], environment, 80);
  const findings = JSON.parse(text) as Finding[];
  expect(healthy).toBe(false);
  expect(text).not.toContain('hunter2');
  expect([...new Set(findings.map(({ what }) => what))]).toEqual([
    'settings of mail',
    'settings of search',
    'settings of gateway',
    `etcd ${nowhere}`,
    `gateway 127.0.0.1:${environment.HTTP_PORT}`,
    `mail ${nowhere}`,
    'search search.invalid:50052',
    'database of mail',
    'database of search',
    `relay ${nowhere}`,
  ]);
  for (const finding of findings) expect(finding).toMatchObject({ state: 'failure', todo: expect.stringMatching(/\.$/) });
});

test('of one app only what that app is and needs', async () => {
  const environment = { ...EMPTY, GRPC_SEARCH_SERVICE_ADDR: `127.0.0.1:${await freePort()}` };
  const { text } = await doctorCommand(['--app', 'search', '--json'], environment, 80);
  const looked = (JSON.parse(text) as Finding[]).map(({ what }) => what);
  expect([...new Set(looked)]).toEqual(['settings of search', `search ${environment.GRPC_SEARCH_SERVICE_ADDR}`]);
});

test('a check that takes too long is told as such, and holds up no other', async () => {
  const relay = await ScriptedRelay.start({ greeting: SAY_NOTHING });
  const settings = { ...readWhatCanBeRead({}), MAIL_RELAY_URL: relay.url };
  const findings = await diagnose({ title: '', environments: { mail: {}, search: {}, gateway: {} }, settings }, ['mail'], 500);
  await relay.close();
  expect(findings.at(-1)).toMatchObject({ what: 'relay', state: 'failure', found: 'not known after 0.5 s' });
  expect(findings.length).toBeGreaterThan(2);
});
