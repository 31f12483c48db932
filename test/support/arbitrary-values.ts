import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { toHex } from "./hex.ts";

const name: fc.Arbitrary<string> = fc.string({ unit: "binary", maxLength: 30 }).filter((text) => text !== "__proto__");

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, undefined, true, false, -0, Number.NaN, Number.MIN_VALUE, Number.MAX_VALUE),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.float(),
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.string({ maxLength: 300 }),
  fc.uint8Array({ maxLength: 40 }),
  fc.date({ noInvalidDate: true }),
);

/** Any value that the codec promises to bring back: of every type, nested, with keys of every type. */
export const encodable: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; keys: unknown[] }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(name, tie("value"), { maxKeys: 6, noNullPrototype: true }),
    tie("keys").map((keys) => new Set(keys)),
    fc.tuple(tie("keys"), tie("value")).map(([keys, value]) => new Map(keys.map((key) => [key, value]))),
  ),
  // Keys that are different objects must differ in content as well.
  keys: fc.uniqueArray(tie("value"), { maxLength: 5, selector: (key) => toHex(codec.encode(key)) }),
})).value;
