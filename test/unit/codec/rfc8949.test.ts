import { describe, expect, test } from "vitest";
import { codec, createCodec } from "../../../src/cache/codec/codec.ts";
import { CodecError } from "../../../src/cache/errors.ts";
import { fromHex, toHex } from "../../support/hex.ts";

/** RFC 8949 appendix A: what the codec writes for a value, and reads back from it. */
const BOTH_WAYS: readonly (readonly [value: unknown, hex: string])[] = [
  [0, "00"],
  [1, "01"],
  [10, "0a"],
  [23, "17"],
  [24, "1818"],
  [25, "1819"],
  [100, "1864"],
  [1000, "1903e8"],
  [1000000, "1a000f4240"],
  [1000000000000, "1b000000e8d4a51000"],
  [18446744073709551615n, "1bffffffffffffffff"],
  [18446744073709551616n, "c249010000000000000000"],
  [-18446744073709551616n, "3bffffffffffffffff"],
  [-18446744073709551617n, "c349010000000000000000"],
  [-1, "20"],
  [-10, "29"],
  [-100, "3863"],
  [-1000, "3903e7"],
  [-0, "f98000"],
  [1.1, "fb3ff199999999999a"],
  [1.5, "f93e00"],
  [3.4028234663852886e38, "fa7f7fffff"],
  [1.0e300, "fb7e37e43c8800759c"],
  [2 ** -24, "f90001"],
  [0.00006103515625, "f90400"],
  [-4.1, "fbc010666666666666"],
  [Number.POSITIVE_INFINITY, "f97c00"],
  [Number.NaN, "f97e00"],
  [Number.NEGATIVE_INFINITY, "f9fc00"],
  [false, "f4"],
  [true, "f5"],
  [null, "f6"],
  [undefined, "f7"],
  [new Date("2013-03-21T20:04:00Z"), "c11a514b67b0"],
  [new Date("2013-03-21T20:04:00.500Z"), "c1fb41d452d9ec200000"],
  [new Uint8Array(), "40"],
  [new Uint8Array([1, 2, 3, 4]), "4401020304"],
  ["", "60"],
  ["a", "6161"],
  ["IETF", "6449455446"],
  ['"\\', "62225c"],
  ["\u00fc", "62c3bc"],
  ["\u6c34", "63e6b0b4"],
  ["\u{10151}", "64f0908591"],
  [[], "80"],
  [[1, 2, 3], "83010203"],
  [[1, [2, 3], [4, 5]], "8301820203820405"],
  [Array.from({ length: 25 }, (_, i) => i + 1), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"],
  [{}, "a0"],
  [{ a: 1, b: [2, 3] }, "a26161016162820203"],
  [["a", { b: "c" }], "826161a161626163"],
  [{ a: "A", b: "B", c: "C", d: "D", e: "E" }, "a56161614161626142616361436164614461656145"],
];

/** Appendix A, and this codec's own reading of it: encodings that are read but not written. */
const READ_ONLY: readonly (readonly [hex: string, value: unknown])[] = [
  ["f90000", 0],
  ["f93c00", 1],
  ["f97bff", 65504],
  ["fa47c35000", 100000],
  ["f9c400", -4],
  ["fa7f800000", Number.POSITIVE_INFINITY],
  ["fa7fc00000", Number.NaN],
  ["faff800000", Number.NEGATIVE_INFINITY],
  ["fb7ff0000000000000", Number.POSITIVE_INFINITY],
  ["fb7ff8000000000000", Number.NaN],
  ["fbfff0000000000000", Number.NEGATIVE_INFINITY],
  ["c074323031332d30332d32315432303a30343a30305a", new Date("2013-03-21T20:04:00Z")],
  [
    "a201020304",
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  ["5f42010243030405ff", new Uint8Array([1, 2, 3, 4, 5])],
  ["7f657374726561646d696e67ff", "streaming"],
  ["9fff", []],
  ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  ["9f01820203820405ff", [1, [2, 3], [4, 5]]],
  ["83018202039f0405ff", [1, [2, 3], [4, 5]]],
  ["83019f0203ff820405", [1, [2, 3], [4, 5]]],
  [
    "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25],
  ],
  ["bf61610161629f0203ffff", { a: 1, b: [2, 3] }],
  ["826161bf61626163ff", ["a", { b: "c" }]],
  ["bf6346756ef563416d7421ff", { Fun: true, Amt: -2 }],
  // A tag's number and a length need not be in their shortest form.
  ["d8011a514b67b0", new Date("2013-03-21T20:04:00Z")],
  ["1800", 0],
  ["1b0000000000000001", 1],
  ["79000161", "a"],
  ["9a0000000101", [1]],
  ["c2420005", 5n],
];

/** Appendix A: well-formed, but of simple values and tags that the codec does not know. */
const REFUSED: readonly (readonly [hex: string, what: string])[] = [
  ["f0", "simple(16)"],
  ["f8ff", "simple(255)"],
  ["d74401020304", "tag 23"],
  ["d818456449455446", "tag 24"],
  ["d82076687474703a2f2f7777772e6578616d706c652e636f6d", "tag 32"],
];

/** Appendix F: not well-formed. */
const ILL_FORMED: Readonly<Record<string, string>> = {
  "the head ends early": "18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 fb000000",
  "a definite string is too short": "41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203",
  "a definite array or map is too short": "81 818181818181818181 8200 a1 a20102 a100 a2000000",
  "a tag has no content": "c0",
  "an indefinite string has no break": "5f4100 7f6100",
  "an indefinite array or map has no break":
    "9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff",
  "reserved additional information": "1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe",
  "reserved simple values": "f800 f801 f818 f81f",
  "chunks of another type": "5f00ff 5f21ff 5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff",
  "chunks of indefinite length": "5f5f4100ffff 7f7f6100ffff",
  "a break on its own": "ff",
  "a break in a definite array or map": "81ff 8200ff a1ff a1ff00 a100ff a20000ff 9f81ff 9f829f819f9fffffffff",
  "a break after a key": "bf00ff bf000000ff",
  "indefinite length where there is none": "1f 3f df",
};

describe("the examples of RFC 8949", () => {
  test.each(BOTH_WAYS)("%o is written as %s and read back", (value, hex) => {
    expect(toHex(codec.encode(value))).toBe(hex);
    expect(codec.decode(fromHex(hex))).toStrictEqual(value);
  });

  test.each(READ_ONLY)("%s is read as %o", (hex, value) => {
    expect(codec.decode(fromHex(hex))).toStrictEqual(value);
  });

  test.each(REFUSED)("%s is refused: %s", (hex) => {
    expect(() => codec.decode(fromHex(hex))).toThrow(CodecError);
  });

  test.each(Object.entries(ILL_FORMED))("refused because %s", (_reason, encodings) => {
    for (const hex of encodings.split(" ")) {
      expect(() => codec.decode(fromHex(hex)), hex).toThrow(CodecError);
    }
  });

  test("nothing at all is not an item", () => {
    expect(() => codec.decode(new Uint8Array())).toThrow(CodecError);
  });

  test("the deterministic order of section 4.2.1", () => {
    const keys = [10, 100, -1, "z", "aa", [100], [-1], false];
    const map = new Map(keys.toReversed().map((key) => [key, 0]));
    const written = "0a00 186400 2000 617a00 62616100 81186400 812000 f400".replaceAll(" ", "");
    expect(toHex(createCodec({ deterministic: true }).encode(map))).toBe(`d90103a8${written}`);
  });
});
