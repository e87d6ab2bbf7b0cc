import { readWhatCanBeRead } from './doctor.settings';
import { checkSettings } from './settings.check';

const AUTH = { AUTH_SECRET: 'a secret for tests only, 32 bytes or more', AUTH_ISSUER: 'test', AUTH_AUDIENCE: 'sge' };

test('settings that an app starts with', () => {
  expect(checkSettings('gateway', AUTH)).toEqual([{ what: 'settings of gateway', state: 'ok', found: 'complete and within their bounds' }]);
});

test('every fault, as the app itself tells it, and no value of a secret', () => {
  const findings = checkSettings('mail', { ...AUTH, AUTH_SECRET: 'hunter2', GRPC_TIMEOUT: 'soon' });
  expect(findings.map(({ state, found }) => [state, found])).toEqual([
    ['failure', 'DATABASE_URL: is required'],
    ['failure', 'GRPC_TIMEOUT: must be a whole number'],
    ['failure', expect.stringMatching(/^AUTH_SECRET: must be/)],
  ]);
  expect(JSON.stringify(findings)).not.toContain('hunter2');
});

test('one that is wrong leaves the others to be checked, by file too', () => {
  const settings = readWhatCanBeRead({ GRPC_TIMEOUT: 'soon', HTTP_PORT: '3333', DATABASE_URL_FILE: '/nowhere' });
  expect(settings).toMatchObject({ HTTP_PORT: 3333, GRPC_MAIL_SERVICE_ADDR: 'localhost:50051' });
  expect(settings).not.toHaveProperty('GRPC_TIMEOUT');
  expect(settings).not.toHaveProperty('DATABASE_URL');
});
