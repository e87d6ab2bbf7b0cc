import { isPermanent, isRefusal, parseReply } from './handover';

test.each([
  ['250 2.0.0 Ok: queued as 4WxyZ', 250, '2.0.0'],
  ['250 2.0.0', 250, '2.0.0'],
  ['250 Ok', 250, ''],
  ['250', 250, ''],
  ['550 5.1.1 <a@b.de>: user unknown', 550, '5.1.1'],
  ['451-4.7.1 greylisted', 451, '4.7.1'],
  ['452 4.123.456 x', 452, '4.123.456'],
  ['554 5.7.1234 x', 554, ''],
  ['550 1.2.3 x', 550, ''],
  ['550 5.1.1x', 550, ''],
  ['550 10.0.0.1 is listed', 550, ''],
  ['550 5.1 x', 550, ''],
  ['2500 x', 250, ''],
  ['25', 0, ''],
  ['', 0, ''],
  ['hello', 0, ''],
  ['connect ECONNREFUSED 127.0.0.1:25', 0, ''],
])('%j', (text, code, enhancedCode) => {
  expect(parseReply(text)).toEqual({ code, text, enhancedCode });
});

test('a reply of many lines is one line', () => {
  expect(parseReply('550-5.7.1 first\r\n550-5.7.1\tsecond\n550 5.7.1 third\r\n')).toEqual({
    code: 550,
    enhancedCode: '5.7.1',
    text: '550-5.7.1 first 550-5.7.1 second 550 5.7.1 third',
  });
});

test('what a relay says is bounded, and fit to be stored and shown', () => {
  expect(parseReply(`550 ${'x'.repeat(100_000)}`).text).toHaveLength(512);
  expect(parseReply('550 5.1.1 a\0b\u001b[31mc\u0085d\u007fe').text).toBe('550 5.1.1 a b [31mc d e');
  const cut = parseReply(`550 ${'x'.repeat(507)}😀`).text;
  expect(cut.isWellFormed()).toBe(true);
  expect(cut).toHaveLength(512);
  expect(parseReply('550 \ud800').text.isWellFormed()).toBe(true);
  expect(parseReply('550 Grüße 你好').text).toBe('550 Grüße 你好');
});

test.each([
  [250, false, false],
  [354, false, false],
  [399, false, false],
  [400, false, true],
  [421, false, true],
  [499, false, true],
  [500, true, true],
  [599, true, true],
  [600, false, false],
  [0, false, false],
])('%i: permanent %p, a refusal %p', (code, permanent, refusal) => {
  const reply = { code, text: '', enhancedCode: '' };
  expect([isPermanent(reply), isRefusal(reply)]).toEqual([permanent, refusal]);
});
