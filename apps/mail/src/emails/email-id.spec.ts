import { v7 as uuidv7 } from 'uuid';
import { formatEmailId, parseEmailId } from './email-id';

const UUID = '0190a0b0-1234-7abc-8def-0123456789ab';

test('an id has its prefix when it is told, and is found with it or without', () => {
  expect(formatEmailId(UUID)).toBe(`msg_${UUID}`);
  for (const id of [UUID, `msg_${UUID}`, UUID.toUpperCase(), `msg_${UUID.toUpperCase()}`]) expect(parseEmailId(id)).toBe(UUID);
  const fresh = uuidv7();
  expect(parseEmailId(formatEmailId(fresh))).toBe(fresh);
});

test.each([
  '',
  'msg_',
  'x',
  `MSG_${UUID}`,
  `msg_msg_${UUID}`,
  `${UUID} `,
  ` ${UUID}`,
  `${UUID}\n`,
  UUID.replaceAll('-', ''),
  `evt_${UUID}`,
  `{${UUID}}`,
  `${UUID}'--`,
  'g'.repeat(36),
  'x'.repeat(1e6),
])('%#: a malformed id is an id that the tenant does not have', (id) => {
  expect(() => parseEmailId(id)).toThrow(expect.objectContaining({ reason: 'EMAIL_NOT_FOUND', code: 'NOT_FOUND' }));
});
