import { H3, Http3Error } from './http3-error';
import { STATIC_TABLE } from './qpack-static-table';

/** In the order of the wire; a name can come again. */
export type FieldLine = readonly [name: string, value: string];

/** Bits, then integers and strings with whatever is left of the byte as their prefix: QPACK has them as HPACK does (RFC 7541, 5). */
interface HpackJs {
  decoder: {
    create(): { push(bytes: Buffer): void; isEmpty(): boolean; decodeBit(): 0 | 1; decodeInt(): number; decodeStr(): Buffer | number[] };
  };
  encoder: {
    create(): { encodeBits(bits: number, length: number): void; encodeInt(value: number): void } & {
      encodeStr(value: Buffer, huffman: boolean): void;
      render(): Buffer[];
    };
  };
}

// npm has no library for QPACK; hpack.js has what it shares with HPACK: integers, strings, the Huffman code.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- it has no types
const { decoder, encoder } = require('hpack.js') as HpackJs;

const NAMES = new Map(STATIC_TABLE.map(([name], index) => [name, index] as const).reverse());
const LINES = new Map(STATIC_TABLE.map(([name, value], index) => [`${name}\n${value}`, index] as const));

/** A field section (RFC 9204, 4.5) that needs no dynamic table. Values are bytes: latin1. */
export function encodeFieldSection(lines: readonly FieldLine[]): Buffer {
  const section = encoder.create();
  section.encodeInt(0);
  section.encodeInt(0);
  for (const [name, value] of lines) {
    const line = LINES.get(`${name}\n${value}`);
    if (line !== undefined) {
      section.encodeBits(0b11, 2);
      section.encodeInt(line);
      continue;
    }
    const known = NAMES.get(name);
    if (known !== undefined) {
      section.encodeBits(0b0101, 4);
      section.encodeInt(known);
    } else {
      section.encodeBits(0b0010, 4);
      section.encodeStr(Buffer.from(name, 'latin1'), false);
    }
    section.encodeStr(Buffer.from(value, 'latin1'), false);
  }
  return Buffer.concat(section.render());
}

/**
 * As {@link encodeFieldSection}; Huffman or not.
 * @throws Http3Error `violation`, QPACK_DECOMPRESSION_FAILED: what is no field section, or needs the dynamic table
 */
export function decodeFieldSection(bytes: Buffer): FieldLine[] {
  try {
    return decodeLines(bytes);
  } catch {
    throw new Http3Error('violation', H3.QPACK_DECOMPRESSION_FAILED);
  }
}

function decodeLines(bytes: Buffer): FieldLine[] {
  const section = decoder.create();
  section.push(bytes);
  const bit = () => section.decodeBit() === 1;
  const text = () => Buffer.from(section.decodeStr()).toString('latin1');
  const staticLine = () => {
    if (!bit()) throw new Error('dynamic table');
    const line = STATIC_TABLE[section.decodeInt()];
    if (!line) throw new Error('beyond the static table');
    return line;
  };
  const line = (): FieldLine => {
    if (bit()) return staticLine();
    if (bit()) {
      bit(); // may never be indexed: nothing is
      return [staticLine()[0], text()];
    }
    if (!bit()) throw new Error('dynamic table');
    bit();
    return [text(), text()];
  };
  if (section.decodeInt() !== 0) throw new Error('dynamic table');
  bit();
  section.decodeInt();
  const lines: FieldLine[] = [];
  while (!section.isEmpty()) lines.push(line());
  return lines;
}
