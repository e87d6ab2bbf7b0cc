import { findUnsafeText, parseJson } from './json-body.mapper';

const parse = (text: string) => parseJson(Buffer.from(text));

describe('parseJson', () => {
  test('reads JSON in UTF-8', () => expect(parse('{"subject":"Grüße 💌"}')).toEqual({ subject: 'Grüße 💌' }));
  test('no body is undefined', () => expect(parse('')).toBeUndefined());

  test.each([['{'], ['{"a":1,}'], ['nope'], ['{} {}'], ["{'a':1}"]])('refuses %s', (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ reason: 'MALFORMED_REQUEST' }));
  });

  test('refuses what is not UTF-8', () => {
    expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('the body is not UTF-8');
  });

  test('does not repeat the body in its message', () => {
    expect(() => parse('{"body":"secret" oops}')).not.toThrow(/secret|oops/);
  });
});

describe('findUnsafeText', () => {
  const fields = (text: string) => findUnsafeText(parse(text)).map(({ field }) => field);

  test('finds nothing in a usual body', () => {
    expect(
      fields('{"to":["a@example.com"],"metadata":{"constructor":"x","prototype":"y"},"subject":"💌","send_at":0,"from":null}'),
    ).toEqual([]);
  });

  test.each([
    ['{"__proto__":1}', '__proto__'],
    ['{"headers":{"__proto__":"x"}}', 'headers[__proto__]'],
    ['{"headers":{"\\u005f_proto__":"x"}}', 'headers[__proto__]'],
    ['{"attachments":[{},{"__proto__":{}}]}', 'attachments[1].__proto__'],
    ['{"subject":"\\ud800"}', 'subject'],
    ['{"to":["a@example.com","\\udc00b"]}', 'to[1]'],
    ['{"metadata":{"\\ud800":"x"}}', 'metadata[\ufffd]'],
    ['"\\ud800"', 'body'],
  ])('finds what is unsafe in %s', (text, field) => expect(fields(text)).toEqual([field]));

  test('refuses a body that is nested too deep', () => {
    expect(() => fields(`${'['.repeat(5000)}${']'.repeat(5000)}`)).toThrow('nested deeper than 16 levels');
  });

  test('refuses a body with too many values, and names where they are', () => {
    expect(() => fields(`{"to":[${'1,'.repeat(80_000)}1]}`)).toThrow(/^to: the body has more than 70000 values/);
  });
});
