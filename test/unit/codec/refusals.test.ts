import { isUtf8 } from "node:buffer";
import { describe, expect, test } from "vitest";
import { codec } from "../../../src/cache/codec/codec.ts";
import { CodecError } from "../../../src/cache/errors.ts";
import { fromHex } from "../../support/hex.ts";

class Money {
  readonly cents: number = 1;
}

function cycle(): unknown {
  const order: Record<string, unknown> = { id: 1 };
  order["lines"] = [{ order }];
  return { order };
}

const NOT_ENCODED: readonly (readonly [what: string, value: unknown, message: RegExp])[] = [
  ["a function", { a: { b: [0, () => 1] } }, /value\.a\.b\[1\] is a function/],
  ["a symbol", new Map([["k", Symbol("s")]]), /value\.get\("k"\) is a symbol/],
  ["an instance of a class", { "two words": new Money() }, /value\["two words"\] is an instance of Money/],
  ["an error", new TypeError("x"), /value is an instance of TypeError/],
  ["a promise", [Promise.resolve()], /value\[0\] is an instance of Promise/],
  ["another typed array", new Float32Array(1), /value is an instance of Float32Array/],
  ["an ArrayBuffer", new ArrayBuffer(1), /value is an instance of ArrayBuffer/],
  ["a boxed string", Object("text"), /value is an instance of String/],
  ["a URL", { at: new URL("https://example.org") }, /value\.at is an instance of URL/],
  ["an invalid date", { at: new Date(Number.NaN) }, /value\.at is an invalid date/],
  ["a forged date", Object.create(Date.prototype), /value is an instance of Date/],
  ["a lone surrogate", { s: "\ud800" }, /value\.s has a lone surrogate/],
  ["a lone surrogate in a name", { "\udfff": 1 }, /value\["\\udfff"\] has a lone surrogate/],
  ["an own property __proto__", JSON.parse('{"a":{"__proto__":{}}}'), /value\.a\.__proto__ is a name/],
  ["a cycle", cycle(), /value\.order contains itself/],
  ["two keys of one content", new Map([[{ k: 1 }, 1], [{ k: 1 }, 2]]), /<key Object> is there twice/], // biome-ignore format: a pair is short
  ["two members of one content", new Set([new Date(0), new Date(0)]), /<member Date> is there twice/],
  ["a fault in a key", new Map([[[() => 1], 1]]), /value<key Array>\[0\] is a function/],
  ["an integer of more than 8,192 bytes", 1n << 65_536n, /value is an integer of more than 8192 bytes/],
];

describe("values without an encoding", () => {
  test.each(NOT_ENCODED)("%s", (_what, value, message) => {
    expect(() => codec.encode(value)).toThrow(CodecError);
    expect(() => codec.encode(value)).toThrow(message);
    expect(codec.decode(codec.encode("still works"))).toBe("still works");
  });
});

const NOT_DECODED: readonly (readonly [what: string, hex: string, message: RegExp])[] = [
  ["trailing bytes", "0102", /more bytes after the end of the item \(at byte 1\)/],
  ["a duplicate name", "a2616101616102", /duplicate key or member "a" \(at byte 4\)/],
  ["a duplicate name in a nested map", "81a16162a2616101616102", /duplicate .* \(at byte 8\)/],
  ["a duplicate of an inherited name", "a2 68746f537472696e67 01 68746f537472696e67 02", /duplicate .*"toString"/],
  ["a duplicate name in chunks", "a2 626162 01 7f61616162ff 02", /duplicate .* \(at byte 5\)/],
  ["a duplicate number", "a201010102", /duplicate key or member 1 \(at byte 3\)/],
  ["a duplicate number, written otherwise", "a20101180102", /duplicate key or member 1/],
  ["a float that is the same number", "a20101f93c0002", /duplicate key or member 1/],
  ["a duplicate name in a Map", "d90103a2616101616102", /duplicate key or member "a"/],
  ["a duplicate name after other keys", "a3 6161 01 02 02 6161 03", /duplicate key or member "a"/],
  ["a duplicate array as a key", "a281010181010 1", /duplicate key or member Array \(at byte 4\)/],
  ["a duplicate in a map that is a key", "a1a20101010201", /duplicate .* \(at byte 4\)/],
  ["a duplicate member of a set", "d90102820101", /duplicate key or member 1/],
  ["a key __proto__", "a1695f5f70726f746f5f5fa0", /the key __proto__.* \(at byte 1\)/],
  ["a key __proto__ among other keys", "a20101695f5f70726f746f5f5fa0", /the key __proto__/],
  ["a key __proto__ in chunks", "a17f645f5f7072656f746f5f5fffa0", /the key __proto__/],
  ["ill-formed UTF-8", "62c328", /not UTF-8 \(at byte 1\)/],
  ["ill-formed UTF-8 in long text", "7818c3286161616161616161616161616161616161616161616161".slice(0, 52), /not UTF-8/],
  ["an encoded surrogate", "63eda080", /not UTF-8/],
  ["a character cut in two by chunks", "7f61c361bcff", /not UTF-8/],
  ["ill-formed UTF-8 in a name", "a161ff01", /not UTF-8 \(at byte 2\)/],
  ["an unknown tag", "d81c00", /tag 28 is not supported here \(at byte 0\)/],
  ["a record of cbor-x", "d9dfff8319e0008161610102", /tag 57343 is not supported/],
  ["a tag of 64 bits", "dbffffffffffffffff00", /tag 18446744073709551615 is not supported/],
  ["the tag 'this is CBOR' inside an item", "81d9d9f700", /tag 55799 is not supported here/],
  ["the tag 'this is CBOR' twice", "d9d9f7d9d9f700", /tag 55799 is not supported here/],
  ["a date of text that is none", "c06568656c6c6f", /a date that does not exist/],
  ["30 February", "c074323031332d30322d33305430303a30303a30305a", /a date that does not exist/],
  ["a date of a year too far", "c1fb4341c37937e08000", /a date that does not exist/],
  ["a date that is NaN", "c1f97e00", /a date that does not exist/],
  ["a date of text under the tag for numbers", "c16130", /a date that does not exist/],
  ["a date of a date", "c1c100", /a date that does not exist/],
  ["a bignum of a number", "c205", /major type 0 where only 2 is allowed \(at byte 1\)/],
  ["a set of a map", "d90102a0", /major type 5 where only 4/],
  ["a Map of an array", "d9010380", /major type 4 where only 5/],
  ["a bignum of more than 8,192 bytes", `c2592001${"ff".repeat(8_193)}`, /more than 8192 bytes/],
];

describe("bytes that are refused", () => {
  test.each(NOT_DECODED)("%s", (_what, hex, message) => {
    expect(() => codec.decode(fromHex(hex))).toThrow(CodecError);
    expect(() => codec.decode(fromHex(hex))).toThrow(message);
  });

  test("every beginning of an encoding", () => {
    const whole = codec.encode({ a: [1, "two", 3.3, new Map([[4n, new Date(5)]])], b: new Set([new Uint8Array(6)]) });
    for (let length = 0; length < whole.length; length++) {
      expect(() => codec.decode(whole.subarray(0, length)), `${length} bytes`).toThrow(CodecError);
    }
  });

  test.each([[undefined], [null], ["a1"], [[0xa0]], [new ArrayBuffer(1)], [new DataView(new ArrayBuffer(1))]])(
    "%o is not even bytes",
    (input) => {
      expect(() => codec.decode(input as unknown as Uint8Array)).toThrow(CodecError);
    },
  );

  test("no prototype changes", () => {
    const hostile = ["a1695f5f70726f746f5f5fa1617801", "a16b636f6e7374727563746f72a16970726f746f74797065a1617801"];
    expect(hostile.map((hex) => isRefused(fromHex(hex)))).toEqual([true, false]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
    expect(codec.decode(fromHex("a16b636f6e7374727563746f7201"))).toStrictEqual({ constructor: 1 });
  });

  test("the units of a name that was read before are not taken for its UTF-8", () => {
    const taken: string[] = [];
    for (let first = 0x80; first <= 0xff; first++) {
      for (let second = 0x80; second <= 0xff; second++) {
        const name = String.fromCharCode(first, second);
        codec.decode(codec.encode({ [name]: 1 }));
        const units = new Uint8Array([0xa1, 0x62, first, second, 1]);
        if (!isRefused(units) && !isUtf8(units.subarray(2, 4))) taken.push(name);
      }
    }
    expect(taken).toEqual([]);
  });
});

function isRefused(bytes: Uint8Array): boolean {
  try {
    codec.decode(bytes);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    return true;
  }
}
