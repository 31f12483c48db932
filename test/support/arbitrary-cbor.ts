import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { encodable } from "./arbitrary-values.ts";

type Bytes = readonly number[];

/** The head of an item with its argument in 0, 1, 2, 4 or 8 bytes, whether or not that is the shortest. */
export function head(major: number, argument: number, width: number): Bytes {
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

type Harm = (bytes: Bytes, index: number, byte: number, length: number) => Bytes;

const HARMS: readonly Harm[] = [
  (bytes, index, byte) => (index < bytes.length ? bytes.with(index, byte) : bytes),
  (bytes, index, byte) => bytes.map((each, at) => (at === index ? each ^ (1 << (byte & 7)) : each)),
  (bytes, index, byte) => bytes.toSpliced(index, 0, byte),
  (bytes, index, _, length) => bytes.toSpliced(index, length),
  (bytes, index, _, length) => bytes.toSpliced(index, 0, ...bytes.slice(index, index + length)),
  (bytes, index) => bytes.slice(0, index),
];

const harm = fc.record({
  inflict: fc.constantFrom(...HARMS),
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  byte: fc.oneof(fc.nat(255), fc.constantFrom(0x1f, 0x5f, 0x7f, 0x9f, 0xbf, 0xff, 0x9b, 0xbb, 0xc1, 0xd9)),
  length: fc.integer({ min: 1, max: 12 }),
});

/** Bytes of which a few were changed, inserted, removed or doubled, a bit flipped, or the rest cut off. */
export function damage(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(whole, fc.array(harm, { minLength: 1, maxLength: 4 }))
    .map(([bytes, harms]) =>
      Uint8Array.from(
        harms.reduce<Bytes>(
          (left, { inflict, at, byte, length }) => inflict(left, Math.floor(at * left.length), byte, length),
          [...bytes],
        ),
      ),
    );
}

/** A damaged encoding. */
export const damaged: fc.Arbitrary<Uint8Array> = damage(encodable.map((value) => codec.encode(value)));
