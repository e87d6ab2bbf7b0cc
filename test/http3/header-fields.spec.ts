import { H3, Http3Error } from './http3-error';
import { fieldLines, headerFields, responseHead } from './header-fields';
import type { FieldLine } from './qpack';

test('repeated names are kept, in order, both ways', () => {
  const lines: FieldLine[] = [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['set-cookie', 'c=3'],
    ['server', 'x'],
  ];
  const fields = headerFields(lines);
  expect(fields).toEqual({ 'set-cookie': ['a=1', 'b=2', 'c=3'], server: 'x' });
  expect(fieldLines(fields)).toEqual(lines);
});

test('names are sent in lower case', () => {
  expect(fieldLines({ 'Content-Type': 'text/plain' })).toEqual([['content-type', 'text/plain']]);
});

test('names that objects have are names', () => {
  const lines: FieldLine[] = [
    ['constructor', 'a'],
    ['__proto__', 'b'],
  ];
  expect(fieldLines(headerFields(lines))).toEqual(lines);
});

test('a head is its status and the other fields', () => {
  expect(
    responseHead([
      [':status', '204'],
      ['date', 'now'],
    ]),
  ).toEqual({ status: 204, headers: { date: 'now' } });
});

test.each<[string, FieldLine[]]>([
  ['without a status', [['date', 'now']]],
  ['with a status that is no number', [[':status', '2xx']]],
  [
    'with two',
    [
      [':status', '200'],
      [':status', '200'],
    ],
  ],
  [
    'with its status behind other fields',
    [
      ['date', 'now'],
      [':status', '200'],
    ],
  ],
  [
    'with a name in upper case',
    [
      [':status', '200'],
      ['Date', 'now'],
    ],
  ],
  ['of nothing', []],
])('a head %s is malformed', (_what, lines) => {
  expect(() => responseHead(lines)).toThrow(new Http3Error('violation', H3.MESSAGE_ERROR));
});
