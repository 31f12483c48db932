import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { CodecError } from "../../../src/cache/errors.ts";
import { fingerprint } from "../../../src/primitives/idempotency/fingerprint.ts";

const of = (value: unknown): string => Buffer.from(fingerprint(value, "ship")).toString("hex");

class Order {
  readonly id = 1;
}

describe("the fingerprint of an input", () => {
  test("is SHA-256 over its deterministic CBOR encoding, which any language can compute", () => {
    // {"a": 1, "bb": [true, null]} by RFC 8949 §4.2.1
    const encoding = Buffer.from("a2616101626262" + "82f5f6", "hex");
    expect(of({ bb: [true, null], a: 1 })).toBe(createHash("sha256").update(encoding).digest("hex"));
  });

  test.each<[what: string, a: unknown, b: unknown]>([
    ["properties in another order", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ["numeric properties among others", { 10: 1, 9: 2, a: 3 }, { a: 3, 9: 2, 10: 1 }],
    [
      "map entries in another order",
      new Map<unknown, unknown>([
        [1, 2],
        ["a", 3],
      ]),
      new Map<unknown, unknown>([
        ["a", 3],
        [1, 2],
      ]),
    ],
    ["set members in another order", new Set([1, "1", { a: 1, b: 2 }]), new Set([{ b: 2, a: 1 }, "1", 1])],
    ["the same instant", new Date(5), new Date(5)],
    ["a Buffer and its bytes", Buffer.from([1, 2]), new Uint8Array([1, 2])],
    ["NaN", Number.NaN, Number.NaN],
    ["objects with and without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])("is the same for %s", (_what, a, b) => {
    expect(of(a)).toBe(of(b));
  });

  test("tells apart what a round trip through the codec tells apart", () => {
    const values = [
      0,
      -0,
      1,
      1n,
      "1",
      true,
      [1],
      new Set([1]),
      new Uint8Array([1]),
      { 0: 1 },
      new Map([[0, 1]]),
      new Map([["0", 1]]),
      null,
      undefined,
      {},
      { a: undefined },
      { a: null },
      [],
      [undefined],
      "",
      new Date(1),
      0.001,
      2n ** 64n,
      2 ** 64,
      [1, 2],
      [2, 1],
      [[1], 2],
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ];
    expect(new Set(values.map(of)).size).toBe(values.length);
  });

  test("names the path of what has none, and what to do", () => {
    const cyclic: { lines: unknown[] } = { lines: [] };
    cyclic.lines.push(cyclic);
    const refused: readonly (readonly [unknown, RegExp])[] = [
      [{ lines: [{ price: () => 1 }] }, /value\.lines\[0\]\.price is a function/],
      [{ id: Symbol("x") }, /value\.id is a symbol/],
      [{ order: new Order() }, /value\.order is an instance of Order/],
      [new Map([["k", new Date(Number.NaN)]]), /value\.get\("k"\) is an invalid date/],
      [cyclic, /contains itself/],
    ];
    for (const [value, problem] of refused) {
      expect(() => of(value)).toThrow(CodecError);
      expect(() => of(value)).toThrow(problem);
      expect(() => of(value)).toThrow(/idempotent "ship".*fingerprint option/);
    }
  });

  test("leaves alone what a getter throws", () => {
    const value = {
      get price(): never {
        throw new RangeError("no price");
      },
    };
    expect(() => of(value)).toThrow(RangeError);
  });
});
