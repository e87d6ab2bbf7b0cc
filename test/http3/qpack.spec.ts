import { H3, Http3Error } from './http3-error';
import { decodeFieldSection, encodeFieldSection, type FieldLine } from './qpack';
import { STATIC_TABLE } from './qpack-static-table';

const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');

test("RFC 9204's example of a literal with a name of the static table (B.1), both ways", () => {
  const section = hex('0000 510b 2f69 6e64 6578 2e68 746d 6c');
  expect(decodeFieldSection(section)).toEqual([[':path', '/index.html']]);
  expect(encodeFieldSection([[':path', '/index.html']])).toEqual(section);
});

/** RFC 9204, appendix A. */
test.each([
  ['c0', [':authority', '']],
  ['c1', [':path', '/']],
  ['d1', [':method', 'GET']],
  ['d7', [':scheme', 'https']],
  ['d9', [':status', '200']],
  ['f4', ['content-type', 'text/html; charset=utf-8']],
  ['ff 00', [':status', '100']],
  ['ff 23', ['x-frame-options', 'sameorigin']],
] as const)('the static line %s is %j, both ways', (line, field) => {
  expect(decodeFieldSection(hex(`0000 ${line}`))).toEqual([field]);
  expect(encodeFieldSection([field])).toEqual(hex(`0000 ${line}`));
});

test('every line of the static table is decoded as it is encoded, to one line', () => {
  expect(STATIC_TABLE).toHaveLength(99);
  for (const line of STATIC_TABLE) expect(decodeFieldSection(encodeFieldSection([line]))).toEqual([line]);
});

/** RFC 7541, C.4 and C.6: the Huffman code is the same. */
test.each([
  ['f1e3 c2e5 f23a 6ba0 ab90 f4ff', 'www.example.com'],
  ['aec3 771a 4b', 'private'],
  ['d07a be94 1054 d444 a820 0595 040b 8166 e082 a62d 1bff', 'Mon, 21 Oct 2013 20:13:21 GMT'],
])('Huffman code %s is "%s"', (code, text) => {
  const length = (0x80 + hex(code).length).toString(16);
  expect(decodeFieldSection(hex(`0000 51 ${length} ${code}`))).toEqual([[':path', text]]);
});

test('a name can be Huffman code too, and may be marked as never to be indexed', () => {
  // custom-key: custom-value, as in RFC 7541, C.4.3; 0b0011_1111: a literal name, not to be indexed, Huffman, 7 + 1 bytes.
  expect(decodeFieldSection(hex('0000 3f01 25a8 49e9 5ba9 7d7f 89 25a8 49e9 5bb8 e8b4 bf'))).toEqual([['custom-key', 'custom-value']]);
  // 0b0111_0001: the name of a static line, not to be indexed.
  expect(decodeFieldSection(hex('0000 7101 2f'))).toEqual([[':path', '/']]);
});

test('fields come out as they went in: long, repeated, with any byte', () => {
  const anyByte = String.fromCharCode(...Array.from({ length: 256 }, (_value, byte) => byte));
  const fields: FieldLine[] = [
    [':method', 'PATCH'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['x-any', anyByte],
    ['x-long', 'v'.repeat(32 * 1024)],
    [`x-${'n'.repeat(200)}`, ''],
  ];
  expect(decodeFieldSection(encodeFieldSection(fields))).toEqual(fields);
});

test.each([
  ['needs the dynamic table (B.2)', '0381 10 11'],
  ['says that it needs the dynamic table, and does not', '0200 c1'],
  ['has an indexed line of the dynamic table', '0000 80'],
  ['has a name of the dynamic table', '0000 4001 61'],
  ['has an indexed line behind the base', '0000 10'],
  ['has a name behind the base', '0000 0001 61'],
  ['has a static line beyond the last', '0000 ff24'],
  ['ends within its prefix', '00'],
  ['ends within a string', '0000 510b 2f69'],
  ['ends within an integer', '0000 ff'],
  ['has Huffman code that ends in no padding', '0000 5181 00'],
  ['has an integer without an end', '0000 ffff ffff ffff ffff ffff'],
])('a section that %s is a violation', (_what, bytes) => {
  expect(() => decodeFieldSection(hex(bytes))).toThrow(new Http3Error('violation', H3.QPACK_DECOMPRESSION_FAILED));
});
