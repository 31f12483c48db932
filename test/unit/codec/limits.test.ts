import { describe, expect, test } from "vitest";
import { codec, createCodec } from "../../../src/cache/codec/codec.ts";
import { CodecError, ConfigError } from "../../../src/cache/errors.ts";
import { fromHex } from "../../support/hex.ts";

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < depth; i++) value = [value];
  return value;
}

describe("limits", () => {
  test("hold in both directions, so that what was encoded can be decoded", () => {
    const small = createCodec({ maxBytes: 10, maxDepth: 2, maxItems: 3 });
    for (const value of ["123456789", [[1, 2, 3]], { a: 1, b: 2, c: 3 }, new Set([1, 2, 3]), new Map([[1, []]])]) {
      expect(small.decode(small.encode(value))).toStrictEqual(value);
    }
    const tooMuch: readonly (readonly [unknown, RegExp])[] = [
      ["1234567890", /maxBytes/],
      [{ abcdefghij: 1 }, /maxBytes/],
      [[[[]]], /value\[0\]\[0\] is nested deeper than maxDepth, 2/],
      [{ a: { b: {} } }, /value\.a\.b is nested deeper/],
      [new Map([[new Set([new Map()]), 1]]), /nested deeper/],
      [[1, 2, 3, 4], /value has 4 items; maxItems is 3/],
      [{ a: 1, b: 2, c: 3, d: 4 }, /maxItems/],
      [new Set([1, 2, 3, 4]), /maxItems/],
    ];
    for (const [value, message] of tooMuch) {
      expect(() => small.encode(value)).toThrow(CodecError);
      expect(() => small.encode(value)).toThrow(message);
      const bytes = codec.encode(value);
      expect(() => small.decode(bytes)).toThrow(CodecError);
      expect(() => small.decode(bytes)).toThrow(/maxBytes|maxDepth|maxItems/);
    }
  });

  test("belong to one codec", () => {
    createCodec({ maxItems: 1 });
    expect(codec.decode(codec.encode([1, 2, 3]))).toEqual([1, 2, 3]);
  });

  test("are exact: the default allows 64 levels, 10,000 items and 1 MiB, and nothing more", () => {
    expect(codec.decode(codec.encode(nested(64)))).toStrictEqual(nested(64));
    expect(() => codec.encode(nested(65))).toThrow(/maxDepth, 64/);

    const items = new Array<number>(10_000).fill(0);
    expect(codec.decode(codec.encode(items))).toStrictEqual(items);
    expect(() => codec.encode([...items, 0])).toThrow(/maxItems/);

    const bytes = new Uint8Array(1024 * 1024 - 5);
    expect(codec.encode(bytes)).toHaveLength(1024 * 1024);
    expect(codec.decode(codec.encode(bytes))).toHaveLength(bytes.length);
    expect(() => codec.encode(new Uint8Array(bytes.length + 1))).toThrow(/maxBytes, 1048576/);
  });

  test("tell a value that is too large from one that has no encoding", () => {
    const small = createCodec({ maxBytes: 10 });
    expect(() => small.encode("1234567890")).toThrow(expect.objectContaining({ code: "ERR_CODEC_TOO_LARGE" }));
    expect(() => small.encode(() => {})).toThrow(expect.objectContaining({ code: "ERR_CODEC" }));
  });

  test("apply to items of indefinite length", () => {
    const small = createCodec({ maxItems: 2, maxDepth: 2 });
    expect(small.decode(fromHex("9f0102ff"))).toEqual([1, 2]);
    expect(() => small.decode(fromHex("9f010203ff"))).toThrow(/maxItems/);
    expect(() => small.decode(fromHex("bf010102020303ff"))).toThrow(/maxItems/);
    expect(() => small.decode(fromHex("7f606060ff"))).toThrow(/maxItems/);
    expect(() => small.decode(fromHex("9f9f9fffffff"))).toThrow(/maxDepth/);
  });

  test("of 500 levels leave enough of the stack", () => {
    const deep = createCodec({ maxDepth: 500 });
    expect(deep.decode(deep.encode(nested(500)))).toStrictEqual(nested(500));
  });

  test.each([
    ["maxBytes", 0],
    ["maxBytes", 2 ** 28 + 1],
    ["maxDepth", -1],
    ["maxDepth", 501],
    ["maxDepth", 1.5],
    ["maxItems", Number.NaN],
    ["maxItems", "5"],
    ["maxItems", Number.POSITIVE_INFINITY],
    ["maxItems", null],
    ["deterministic", "yes"],
    ["deterministic", null],
  ])("%s of %s is a ConfigError", (name, limit) => {
    expect(() => createCodec({ [name]: limit })).toThrow(ConfigError);
    expect(() => createCodec({ [name]: limit })).toThrow(name);
  });

  test("come as an object", () => {
    for (const options of [null, 5]) expect(() => createCodec(options as never)).toThrow(ConfigError);
  });
});

describe("hostile input", () => {
  const CLAIMS: readonly (readonly [what: string, hex: string])[] = [
    ["an array of 2^64 - 1 elements", "9bffffffffffffffff"],
    ["an array of four billion elements", "9affffffff00"],
    ["a map of four billion pairs", "baffffffff00"],
    ["a set of four billion members", "d901029affffffff00"],
    ["10,000 elements in ten bytes", "9927100000000000000000"],
    ["a byte string of 2^64 - 1 bytes", "5bffffffffffffffff00"],
    ["text of four gigabytes", "7affffffff61"],
    ["a chunk of four gigabytes", "5f5affffffff00ff"],
  ];

  test.each(CLAIMS)("%s is refused before anything is made for it", (_what, hex) => {
    const bytes = fromHex(hex);
    const before = process.memoryUsage();
    expect(() => codec.decode(bytes)).toThrow(CodecError);
    const after = process.memoryUsage();
    expect(after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed).toBeLessThan(64 * 1024 * 1024);
  });

  test.each([
    ["arrays", "81"],
    ["arrays of indefinite length", "9f"],
    ["maps", "a161"],
    ["maps that are keys", "a1"],
    ["sets", "d9010281"],
    ["dates", "c1"],
    ["bignums", "c2"],
    ["unknown tags", "d81c"],
    ["'this is CBOR' tags", "d9d9f7"],
    ["strings of indefinite length", "5f"],
  ])("%s nested 10,000 and 200,000 deep are refused", (_what, hex) => {
    for (const depth of [10_000, 200_000]) {
      expect(() => codec.decode(fromHex(hex.repeat(depth)))).toThrow(CodecError);
    }
  });

  test("an encoder that is handed a graph with 2^64 paths stops at a limit", () => {
    let value: unknown = "leaf";
    for (let i = 0; i < 60; i++) value = [value, value];
    expect(() => codec.encode(value)).toThrow(/maxBytes/);
  });

  // As much input in one piece as in 32: at most twice the time if linear, 32 times if quadratic.
  test.each<[what: string, make: (items: number) => Uint8Array]>([
    ["names", (n) => createCodec({ maxItems: n }).encode(Object.fromEntries(range(n).map((i) => [`k${i}`, i])))],
    ["keys", (n) => createCodec({ maxItems: n }).encode(new Map(range(n).map((i) => [[i], i])))],
    ["members", (n) => createCodec({ maxItems: n }).encode(new Set(range(n).map((i) => `k${i}`)))],
    ["chunks", (n) => fromHex(`7f${"6161".repeat(n)}ff`)],
    ["empty arrays", (n) => createCodec({ maxItems: n }).encode(new Array(n).fill([]))],
  ])("the time for %s grows with their number, not with its square", (_what, make) => {
    const generous = createCodec({ maxItems: 100_000, maxBytes: 2 ** 24 });
    const small = make(3_000);
    const large = make(96_000);
    const inPieces = cpuTime(() => range(32).map(() => generous.decode(small)));
    const inOnePiece = cpuTime(() => generous.decode(large));
    expect(inOnePiece / inPieces).toBeLessThan(10);
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The least processor time of several runs, which other processes hardly disturb. In microseconds. */
function cpuTime(work: () => unknown): number {
  const times = range(4).map(() => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...times);
}
