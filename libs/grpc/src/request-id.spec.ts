import { requestIdFrom, traceparentFrom } from './request-id';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test.each(['a', 'order-7/line_3', 'user@host:1.2+x=y', 'x'.repeat(128)])('%s is taken over as the request id', (id) => {
  expect(requestIdFrom(id)).toBe(id);
});

test.each([undefined, '', 'x'.repeat(129), 'two words', 'line\nbreak', 'quote"', '{json}', 'é', Buffer.from('a')])(
  '%j is replaced by a request id of our own',
  (given) => {
    expect(requestIdFrom(given)).toMatch(UUID);
    expect(requestIdFrom(given)).not.toBe(requestIdFrom(given));
  },
);

test('a valid traceparent is taken over', () => {
  expect(traceparentFrom(TRACE)).toBe(TRACE);
});

test.each([
  undefined,
  '',
  TRACE.toUpperCase(),
  TRACE.replace('00-', '01-'),
  TRACE.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
  TRACE.replace('b7ad6b7169203331', '0'.repeat(16)),
  `${TRACE}-more`,
])('%j starts a new trace', (given) => {
  const started = traceparentFrom(given);
  expect(started).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(traceparentFrom(started)).toBe(started);
});
