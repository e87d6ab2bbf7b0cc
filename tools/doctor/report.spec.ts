import { failure, ok, warning } from './finding';
import { report } from './report';

test('what is wrong stands with what to do, and what is well in a line', () => {
  const findings = [
    ok('mail 127.0.0.1:1', 'SERVING'),
    failure('relay', 'connection refused', 'Start the relay, or put right where it is (MAIL_RELAY_URL).'),
    warning('clock', '3.0 s behind', 'Synchronise.'),
  ];
  expect(report('the stack', findings, 80)).toBe(
    [
      'Checked the stack:',
      '',
      '  ok       mail 127.0.0.1:1  SERVING',
      '  FAILURE  relay             connection refused',
      '                             what to do: Start the relay, or put right where it',
      '                             is (MAIL_RELAY_URL).',
      '  warning  clock             3.0 s behind',
      '                             what to do: Synchronise.',
      '',
      '1 of 3 failed, 1 warning.',
      '',
    ].join('\n'),
  );
});

test('all well', () => expect(report('it', [ok('a', 'b')], 80)).toMatch(/\nAll 1 are ok\.\n$/));
