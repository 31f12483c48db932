import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { encodable } from "./arbitrary-values.ts";

type Bytes = readonly number[];

/** The head of an item with its argument in 0, 1, 2, 4 or 8 bytes, whether or not that is the shortest. */
function head(major: number, argument: number, width: number): Bytes {
  if (width === 0) return [(major << 5) | Math.min(argument, 23)];
  const bytes: number[] = [];
  for (let rest = argument, i = 0; i < width; i++, rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [(major << 5) | (24 + Math.log2(width)), ...bytes];
}

const width = fc.constantFrom(0, 0, 0, 1, 2, 4, 8);
const initialByte: fc.Arbitrary<Bytes> = fc.nat(255).map((byte) => [byte]);
const integer: fc.Arbitrary<Bytes> = fc.tuple(fc.constantFrom(0, 1), fc.nat(2 ** 31 - 1), width).map((h) => head(...h));
const float: fc.Arbitrary<Bytes> = fc
  .tuple(fc.constantFrom(2, 4, 8), fc.uint8Array({ minLength: 8, maxLength: 8 }))
  .map(([size, bytes]) => [0xf8 + Math.log2(size), ...bytes.slice(0, size)]);
const text: fc.Arbitrary<Bytes> = fc
  .tuple(fc.constantFrom("a", "b", "\u00fc", "__proto__", "constructor"), width)
  .map(([word, size]) => {
    const bytes = new TextEncoder().encode(word);
    return [...head(3, bytes.length, size), ...bytes];
  });
const byteString: fc.Arbitrary<Bytes> = fc
  .tuple(fc.uint8Array({ maxLength: 12 }), width)
  .map(([bytes, size]) => [...head(2, bytes.length, size), ...bytes]);
const tag: fc.Arbitrary<Bytes> = fc
  .tuple(fc.constantFrom(0, 1, 2, 3, 27, 258, 259, 55_799), fc.constantFrom(2, 4, 8))
  .map(([number, size]) => head(6, number, size));

/** Items as an encoder of any language may write them, and some that none should: structure without sense. */
const item: fc.Arbitrary<Bytes> = fc.letrec<{ item: Bytes }>((tie) => ({
  item: fc.oneof(
    { maxDepth: 6 },
    integer,
    float,
    text,
    byteString,
    initialByte,
    fc.tuple(tag, tie("item")).map((parts) => parts.flat()),
    fc
      .tuple(fc.constantFrom(4, 5), fc.array(tie("item"), { maxLength: 8 }), width, fc.constantFrom(0, 0, 0, 1, 1000))
      .map(([major, items, size, lie]) => [
        ...head(major, Math.floor(items.length / (major - 3)) + lie, size),
        ...items.flat(),
      ]),
    fc
      .tuple(fc.constantFrom(2, 3, 4, 5), fc.array(tie("item"), { maxLength: 8 }))
      .map(([major, items]) => [(major << 5) | 31, ...items.flat(), 0xff]),
  ),
})).item;

export const structured: fc.Arbitrary<Uint8Array> = item.map((bytes) => new Uint8Array(bytes));

/** An encoding in which a few bytes were changed, inserted, removed or doubled. */
export const damaged: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    encodable.map((value) => codec.encode(value)),
    fc.array(
      fc.record({
        kind: fc.constantFrom("set", "insert", "remove", "repeat", "cut"),
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        byte: fc.oneof(fc.nat(255), fc.constantFrom(0x1f, 0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x9b, 0xbb, 0xc1, 0xd9)),
        length: fc.integer({ min: 1, max: 12 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([encoding, damages]) => {
    const bytes = [...encoding];
    for (const { kind, at, byte, length } of damages) {
      const index = Math.floor(at * bytes.length);
      if (kind === "set") bytes[index] = byte;
      else if (kind === "insert") bytes.splice(index, 0, byte);
      else if (kind === "remove") bytes.splice(index, length);
      else if (kind === "repeat") bytes.splice(index, 0, ...bytes.slice(index, index + length));
      else bytes.length = index;
    }
    return new Uint8Array(bytes);
  });
