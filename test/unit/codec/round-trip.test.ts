import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { codec } from "../../../src/cache/codec/codec.ts";
import { fromHex, toHex } from "../../support/hex.ts";

function roundTrip(value: unknown): unknown {
  return codec.decode(codec.encode(value));
}

/** What has no example in RFC 8949, with the bytes that docs/codec.md promises. */
const WRITTEN_AS: readonly (readonly [what: string, value: unknown, hex: string])[] = [
  ["a bigint that a number could hold", 5n, "c24105"],
  ["a negative one", -5n, "c34104"],
  ["zero as a bigint", 0n, "c240"],
  ["minus one as a bigint", -1n, "c340"],
  ["the largest bigint that is a bignum for its type's sake", 2n ** 53n - 1n, "c2471fffffffffffff"],
  ["the first bigint past the safe integers", 2n ** 53n, "1b0020000000000000"],
  ["the first one below them", -(2n ** 53n), "3b001fffffffffffff"],
  ["the largest safe integer", Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
  ["the smallest safe integer", Number.MIN_SAFE_INTEGER, "3b001ffffffffffffe"],
  ["a number past the safe integers", 2 ** 53, "fa5a000000"],
  ["the smallest half-precision number", 2 ** -24, "f90001"],
  ["one that needs single precision", 2 ** -25, "fa33000000"],
  ["the smallest number", Number.MIN_VALUE, "fb0000000000000001"],
  ["a Map", new Map<unknown, unknown>([["a", 1]]), "d90103a1616101"],
  ["a Set", new Set([1, "a"]), "d9010282016161"],
  ["a date before 1970", new Date(-1500), "c1f9be00"],
  ["text with a byte order mark", "\ufeffa", "64efbbbf61"],
];

describe("what survives a round trip", () => {
  test.each(WRITTEN_AS)("%s", (_what, value, hex) => {
    expect(toHex(codec.encode(value))).toBe(hex);
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test("the first and the last date there is, and their neighbours", () => {
    for (const ms of [-8.64e15, -8.64e15 + 1, 8.64e15 - 1, 8.64e15]) {
      expect(roundTrip(new Date(ms))).toStrictEqual(new Date(ms));
    }
  });

  test("an object without a prototype, and one of another realm, come back as plain objects", () => {
    const bare: Record<string, unknown> = Object.assign(Object.create(null), { a: 1 });
    expect(roundTrip(bare)).toStrictEqual({ a: 1 });
    const foreign: unknown = runInNewContext("({ a: [1], m: new Map([[1, 2]]), d: new Date(0) })");
    expect(roundTrip(foreign)).toStrictEqual({ a: [1], m: new Map([[1, 2]]), d: new Date(0) });
  });

  test("names that Object.prototype has are properties like any other", () => {
    const object = { constructor: 1, toString: "x", hasOwnProperty: null, valueOf: [] };
    const back = roundTrip(object);
    expect(back).toStrictEqual(object);
    expect(Object.keys(back as object)).toEqual(Object.keys(object));
  });

  test("undefined is kept as a property's value, and stands for a hole in an array", () => {
    expect(roundTrip({ a: undefined })).toStrictEqual({ a: undefined });
    expect(roundTrip(new Array(2))).toStrictEqual([undefined, undefined]);
  });

  test("maps and sets keep keys of every type apart", () => {
    const map = new Map<unknown, unknown>([
      [1, "number"],
      [1n, "bigint"],
      ["1", "text"],
      [null, "null"],
      [undefined, "undefined"],
      [Number.NaN, "NaN"],
      [true, "true"],
      ["__proto__", "harmless here"],
      [[1], "array"],
      [[2], "another array"],
      [{ a: 1 }, "object"],
      [new Uint8Array([1]), "bytes"],
      [new Map([[1, 2]]), "map"],
    ]);
    expect(roundTrip(map)).toStrictEqual(map);
    expect(roundTrip(new Set(map.keys()))).toStrictEqual(new Set(map.keys()));
  });

  test("symbol keys and hidden properties are no data", () => {
    const object = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 });
    expect(roundTrip(object)).toStrictEqual({ a: 1 });
  });

  test("subclasses of the types that are written come back as those types", () => {
    class Journal extends Array<string> {}
    class Moment extends Date {}
    expect(roundTrip([Journal.of("a"), new Moment(0)])).toStrictEqual([["a"], new Date(0)]);
  });

  test("an object that occurs twice is written twice", () => {
    const shared = { n: 1 };
    const [first, second] = roundTrip([shared, shared]) as [object, object];
    expect(first).toStrictEqual(second);
    expect(first).not.toBe(second);
  });

  test("the same value gives the same bytes", () => {
    const value = { b: new Map([[1, new Set([2])]]), a: [3n, new Date(4), 1.1] };
    expect(codec.encode(structuredClone(value))).toStrictEqual(codec.encode(value));
  });

  test("encoding from within a getter disturbs nothing", () => {
    const value = {
      before: 1,
      get inner(): Uint8Array {
        return codec.encode({ nested: "x".repeat(2_000) });
      },
      after: 2,
    };
    const { before, inner, after } = roundTrip(value) as typeof value;
    expect([before, after]).toEqual([1, 2]);
    expect(codec.decode(inner)).toEqual({ nested: "x".repeat(2_000) });
  });

  test("what a getter throws is thrown on", () => {
    const fault = new Error("mine");
    const value = {
      get broken(): never {
        throw fault;
      },
    };
    expect(() => codec.encode([value])).toThrow(fault);
  });
});

describe("bytes", () => {
  test.each([
    ["a Uint8Array", (bytes: Uint8Array) => bytes],
    ["a Buffer", (bytes: Uint8Array) => Buffer.from(bytes)],
    ["a part of a larger buffer", (bytes: Uint8Array) => Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)],
  ])("decoded from %s are a Uint8Array of their own", (_what, wrap) => {
    const encoded = wrap(codec.encode({ raw: Buffer.from([1, 2, 3]), number: 1.1 }));
    const decoded = codec.decode(encoded) as { raw: Uint8Array };
    encoded.fill(0);
    expect(decoded).toStrictEqual({ raw: new Uint8Array([1, 2, 3]), number: 1.1 });
    expect(decoded.raw.buffer.byteLength).toBe(3);
  });

  test("that were encoded do not change with later encodings", () => {
    const first = codec.encode("first");
    codec.encode("other");
    expect(codec.decode(first)).toBe("first");
    expect(first).toBeInstanceOf(Uint8Array);
    expect(Buffer.isBuffer(first)).toBe(false);
  });
});

/** Written by Python's cbor2 5.4.6. */
const FROM_PYTHON: readonly (readonly [what: string, hex: string, value: unknown])[] = [
  [
    "a dict",
    "a5 626964 656f72642d31 616e 83 01 21 fb400c000000000000 626f6b f5 646e6f6e65 f6 63726177 420102",
    { id: "ord-1", n: [1, -2, 3.5], ok: true, none: null, raw: new Uint8Array([1, 2]) },
  ],
  ["a dict with other keys", "a2 01 6161 6162 02", new Map<unknown, unknown>([[1, "a"], ["b", 2]])], // biome-ignore format: a pair is short
  [
    "a datetime",
    "c0 78 1b 323032342d30322d32395431323a33303a34352e3132333435365a",
    new Date("2024-02-29T12:30:45.123Z"),
  ],
  [
    "one with an offset",
    "c0 78 19 323032342d30322d32395431323a33303a34352d30373a3030",
    new Date("2024-02-29T19:30:45Z"),
  ],
  ["a timestamp with microseconds", "c1 fb41d9781e3d47e6b4", new Date("2024-02-29T12:30:45.123Z")],
  ["a set", "d90102 81 01", new Set([1])],
  ["a large int", "c2 49 400000000000000000", 2n ** 70n],
  ["undefined", "f7", undefined],
];

describe("what another language wrote", () => {
  test.each(FROM_PYTHON)("%s", (_what, hex, value) => {
    expect(codec.decode(fromHex(hex))).toStrictEqual(value);
  });

  test("the tag that says 'this is CBOR' may stand in front", () => {
    expect(codec.decode(fromHex("d9d9f7 c24105"))).toBe(5n);
  });
});
