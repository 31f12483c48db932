import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codec, createCodec } from "../../src/cache/codec/codec.ts";
import { CodecError } from "../../src/cache/errors.ts";
import { damaged, structured } from "../support/arbitrary-cbor.ts";
import { encodable } from "../support/arbitrary-values.ts";

/** The value, or `undefined` where the bytes were refused. Anything but a `CodecError` is thrown on. */
function decodeOrRefuse(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: codec.decode(bytes) };
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}

describe("the codec", () => {
  test("brings every value back", () => {
    fc.assert(
      fc.property(encodable, (value) => {
        assert.deepEqual(codec.decode(codec.encode(value)), value);
      }),
      { numRuns: 2_000 },
    );
  });

  test("writes equal values alike", () => {
    fc.assert(
      fc.property(encodable, (value) => {
        const bytes = codec.encode(value);
        expect(Buffer.from(codec.encode(codec.decode(bytes))).equals(bytes)).toBe(true);
      }),
    );
  });

  test("when deterministic, writes alike what differs only in the order of adding, and nothing else", () => {
    const deterministic = createCodec({ deterministic: true });
    fc.assert(
      fc.property(encodable, fc.infiniteStream(fc.nat()), (value, random) => {
        const bytes = deterministic.encode(value);
        expect(Buffer.from(deterministic.encode(shuffled(value, random))).equals(bytes)).toBe(true);
        expect(deterministic.decode(bytes)).toEqual(value);
      }),
    );
  });

  test.each([
    ["damaged encodings", damaged],
    ["structure without sense", structured],
    ["random bytes", fc.uint8Array({ maxLength: 64 })],
  ])("answers %s with a value or a CodecError, and can write what it read", (_what, input) => {
    const prototype = Object.getOwnPropertyNames(Object.prototype);
    let accepted = 0;
    fc.assert(
      fc.property(input, (bytes) => {
        const copy = bytes.slice();
        const decoded = decodeOrRefuse(bytes);
        expect(bytes).toEqual(copy);
        if (decoded === undefined) return;
        accepted++;
        // Objects as keys are compared as they were written, and may have been written in two ways.
        const again = decodeOrRefuse(encodeUnlessTwice(decoded.value));
        // Not toStrictEqual: that takes a property named "constructor" for the object's class.
        if (again !== undefined) assert.deepEqual(again, decoded);
      }),
      { numRuns: 5_000 },
    );
    expect(accepted).toBeGreaterThan(50);
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(prototype);
  });
});

/** The same data, added in another order. */
function shuffled(value: unknown, random: fc.Stream<number>): unknown {
  const deep = (part: unknown): unknown => shuffled(part, random);
  if (Array.isArray(value)) return value.map(deep);
  if (value instanceof Set) return new Set(inAnyOrder([...value].map(deep), random));
  if (value instanceof Map) return new Map(inAnyOrder([...value], random).map(([key, of]) => [deep(key), deep(of)]));
  if (typeof value !== "object" || value === null || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(inAnyOrder(Object.entries(value), random).map(([name, of]) => [name, deep(of)]));
}

function inAnyOrder<T>(items: readonly T[], random: fc.Stream<number>): T[] {
  const ranked = items.map((item) => ({ item, rank: random.next().value ?? 0 }));
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ item }) => item);
}

function encodeUnlessTwice(value: unknown): Uint8Array {
  try {
    return codec.encode(value);
  } catch (error) {
    if (error instanceof CodecError && error.message.includes("is there twice")) return new Uint8Array();
    throw error;
  }
}
