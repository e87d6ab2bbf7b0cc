import { readPosition, writePosition } from './position';

const position = { snapshot: '720:735:720,722,734', rank: 0.6579273343086243, timestamp: 1_700_000_000, id: 'ü "id" 東京 🚀' };

test('is read as it was written', () => {
  expect(readPosition(writePosition(position))).toEqual(position);
  expect(readPosition(writePosition({ ...position, snapshot: '18446744073:18446744073:' }))).toMatchObject({
    snapshot: '18446744073:18446744073:',
  });
});

test('has room for hundreds of transactions under way, and an id as long as may be', () => {
  const running = Array.from({ length: 300 }, (_, i) => 1_000_000_000_000 + i * 3);
  const busy = { ...position, snapshot: `${running[0]}:${(running.at(-1) ?? 0) + 1}:${running.join(',')}`, id: '東'.repeat(85) };
  const text = writePosition(busy);
  expect(text.length).toBeLessThanOrEqual(2000);
  expect(readPosition(text)).toEqual(busy);
});

test('with more of them all that began since the first counts as later', () => {
  const running = Array.from({ length: 5000 }, (_, i) => 1000 + i * 3);
  const text = writePosition({ ...position, snapshot: `1000:20000:${running.join(',')}` });
  expect(text.length).toBeLessThanOrEqual(2000);
  expect(readPosition(text)).toMatchObject({ snapshot: '1000:1000:' });
});

const encoded = (value: unknown) => `p1.${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
test.each([
  '',
  'p1.',
  'garbage',
  writePosition(position).slice(0, 20),
  `x${writePosition(position)}`,
  encoded(['k0,1', 1, 1]),
  encoded(['k0', 1, 1, 'x']),
  encoded(["1:1:'; drop table document", 1, 1, 'x']),
  encoded(['k0,1', '1', 1, 'x']),
  encoded(['k0,1', 1, 1.5, 'x']),
  encoded(['k0,1', null, 1, 'x']),
  encoded(['k0,1', 1, 1, 'x'.repeat(257)]),
])('what is none is told: %s', (text) => {
  expect(readPosition(text)).toBeUndefined();
});
