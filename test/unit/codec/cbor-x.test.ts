import { addExtension, decode, Encoder, setSizeLimits } from "cbor-x";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { codec, createCodec } from "../../../src/cache/codec/codec.ts";
import { encodable } from "../../support/arbitrary-values.ts";

const VALUE: unknown = {
  list: [1, 2, 3],
  map: new Map([["k", new Uint8Array([1])]]),
  set: new Set(["m"]),
  date: new Date(1_700_000_000_123),
  big: 2n ** 70n,
};

/** cbor-x without what other languages do not read. */
const cborX: Encoder = new Encoder({ useRecords: false, tagUint8Array: false });

// cbor-x reads every integer of 64 bits as a bigint, and cuts off what the multiplication leaves of a date with fractions
// of a second: far from 1970 that is a millisecond. (This leaves out a few values more than those.)
const understoodAlike: fc.Arbitrary<unknown> = encodable.filter((value) => !/1b|3b|c1fb/.test(hexOf(value)));

function hexOf(value: unknown): string {
  return Buffer.from(codec.encode(value)).toString("hex");
}

describe("cbor-x, as the other implementation", () => {
  test("reads what the codec writes", () => {
    fc.assert(
      fc.property(understoodAlike, (value) => {
        expect(plain(cborX.decode(codec.encode(value)))).toStrictEqual(plain(value));
      }),
      { numRuns: 500 },
    );
  });

  test("writes what the codec reads", () => {
    const written = cborX.encode(VALUE);
    expect(codec.decode(written)).toStrictEqual(VALUE);
  });
});

/** Bytes are a Buffer there and a Uint8Array here. */
function plain(value: unknown): unknown {
  return codec.decode(codec.encode(value));
}

describe("cbor-x, as a neighbour in the process", () => {
  afterEach(() => {
    setSizeLimits({ maxArraySize: 112_810_000, maxMapSize: 16_810_000, maxObjectSize: 16_710_000 });
  });

  test("cannot change what the codec writes and reads", () => {
    const before = codec.encode(VALUE);
    setSizeLimits({ maxArraySize: 1, maxMapSize: 1, maxObjectSize: 1 });
    for (const [Class, tag] of [
      [Date, 1],
      [Set, 258],
      [Map, 259],
      [Uint8Array, 64],
    ] as const) {
      addExtension({ Class: Class as never, tag, encode: () => "theirs" as never, decode: () => "theirs" });
    }
    expect(cborX.encode(new Date(0))).not.toEqual(codec.encode(new Date(0)));
    expect(codec.encode(VALUE)).toEqual(before);
    expect(codec.decode(before)).toStrictEqual(VALUE);
  });

  test("is not bound by the codec's limits", () => {
    const small = createCodec({ maxItems: 1, maxDepth: 1, maxBytes: 10 });
    expect(() => small.encode([1, 2])).toThrow(/maxItems/);
    expect(decode(codec.encode([[1, 2, 3]]))).toEqual([[1, 2, 3]]);
  });
});
