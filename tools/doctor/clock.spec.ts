import { clockFinding } from './clock';

const NOW = 1_700_000_000_000;

test.each([
  ['the same', 0, 'ok'],
  ['within two seconds', 2000, 'ok'],
  ['more than two seconds ahead', 2001, 'warning'],
  ['more than two seconds behind', -2002, 'warning'],
  ['more than a minute ahead', 60_001, 'failure'],
  ['more than a minute behind', -60_002, 'failure'],
] as const)('a clock that is %s', (_name, off, state) => {
  const finding = clockFinding('the database', NOW + off, { from: NOW, to: NOW });
  expect(finding).toMatchObject({ what: 'clock of the database', state });
  if (state !== 'ok') expect(finding.found).toMatch(off > 0 ? /ahead of this machine$/ : /behind this machine$/);
});

test('what the answer took to come, and the part of a second that HTTP leaves out, are not held against it', () => {
  expect(clockFinding('x', NOW, { from: NOW, to: NOW + 2900 }).state).toBe('ok');
  expect(clockFinding('x', NOW - 2900, { from: NOW, to: NOW }, 1000).state).toBe('ok');
  expect(clockFinding('x', NOW - 3100, { from: NOW, to: NOW }, 1000)).toMatchObject({
    state: 'warning',
    found: '2.1 s behind this machine',
  });
});
