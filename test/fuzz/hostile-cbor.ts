import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { damage, head, structured } from "../support/arbitrary-cbor.ts";
import { encodable } from "../support/arbitrary-values.ts";
import { fromHex } from "../support/hex.ts";

/** Items that have gone wrong in some decoder or other, by what is wrong with them. */
const ITEMS: Readonly<Record<string, readonly string[]>> = {
  "claims more than there is": [
    "9bffffffffffffffff",
    "bbffffffffffffffff",
    "5bffffffffffffffff",
    "7bffffffffffffffff",
    "9b0000000100000000",
    "bb0000000100000000",
    "9affffffff",
    "baffffffff",
    "5affffffff",
    "7a7fffffff",
    "997530",
    "d901029affffffff",
    "d90103baffffffff",
  ],
  "has no end": ["9f", "bf", "5f", "7f", "9f9f9f", "bf6161", "5f41", "ff", "9fffff"],
  "has an end of its own": ["9fff", "bfff", "5fff", "7fff", "9f01ff", "bf616101ff", "5f410041ffff", "7f61616162ff"],
  "ends in the middle": ["bf6161ff", "5f5f4100ffff", "7f4100ff", "5f6100ff"],
  "is a number at an edge": [
    "1b001fffffffffffff",
    "1b0020000000000000",
    "1bffffffffffffffff",
    "3b001ffffffffffffe",
    "3b001fffffffffffff",
    "3bffffffffffffffff",
    "1b0000000000000005",
    "20",
    "f97e00",
    "f98000",
    "f97c00",
    "f9fc00",
    "f90001",
    "fa7fc00000",
    "fb7ff8000000000001",
    "fb8000000000000000",
    "fb3ff0000000000000",
    "fb7fefffffffffffff",
    "fb433fffffffffffff",
    "fb4340000000000000",
  ],
  "is a big number": ["c240", "c24105", "c34105", "c2490100000000000000ff", "c25a00002001", "c2820000", "c3c24105"],
  "is a simple value": ["e0", "f3", "f4", "f6", "f7", "f800", "f818", "f820", "f8ff", "fc", "fd", "fe"],
  "has no meaning": ["1c", "3d", "5e", "7c", "9d", "bc", "dd", "df"],
  "is tagged": [
    "c1fb7ff8000000000000",
    "c06161",
    "d9d9f700",
    "d90102820101",
    "d90103a0",
    "d81b820000",
    "dbffffffffffffffff00",
  ],
  "is not text": ["62c328", "61ff", "63eda080", "64f7bfbfbf"],
  "is a set of twins that say what they are": [
    "d9010282a16b636f6e7374727563746f72a1646e616d65a168746f537472696e6701a16b636f6e7374727563746f72a1646e616d65a168746f537472696e6701",
  ],
  "names what objects inherit": ["695f5f70726f746f5f5f", "6b636f6e7374727563746f72", "68746f537472696e67"],
  "is a map with the wrong keys": ["a2616101616102", "a1695f5f70726f746f5f5fa0", "a10102", "a1f6f6", "a180a0"],
};

/** Items that no codec may accept, wherever they are. */
const REFUSED: readonly string[] = [
  ...(ITEMS["claims more than there is"] ?? []),
  ...(ITEMS["ends in the middle"] ?? []),
  ...(ITEMS["has no meaning"] ?? []),
  ...(ITEMS["is not text"] ?? []),
  ...["c2820000", "c3c24105", "e0", "f3", "f800", "f818", "f820", "f8ff", "fc", "fd", "fe"],
  ...["c1fb7ff8000000000000", "c06161", "d90102820101", "d81b820000", "dbffffffffffffffff00"],
  ...[
    "a2616101616102",
    "a1695f5f70726f746f5f5fa0",
    "a200010002",
    "bf616101616102ff",
    "a2f97e0001f97e0002",
    "d90103a261610161610200",
  ],
];

const known: fc.Arbitrary<Uint8Array> = fc.constantFrom(...Object.values(ITEMS).flat()).map(fromHex);

/** Arrays, maps, tags or strings inside each other, and something at the bottom. */
const deep: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.constantFrom("81", "a16161", "9f", "bf6161", "d9010281", "d90103a1", "c1", "d9d9f7", "a1"),
    fc.constantFrom(3, 60, 63, 64, 65, 500, 5_000),
    fc.constantFrom("00", "", "ff"),
  )
  .map(([step, times, bottom]) => fromHex(step.repeat(times) + bottom));

/** One item, or what was meant to be one. */
const hostileItem: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: known },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: structured },
  { weight: 2, arbitrary: encodable.map((value) => codec.encode(value)) },
);

/** Encodings that were whole, and have one thing about them now that no codec may accept. */
export const refusedBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(
    fc.array(
      encodable.map((value) => codec.encode(value)),
      { minLength: 1, maxLength: 4 },
    ),
    fc.constantFrom(...REFUSED).map(fromHex),
    fc.nat(),
    fc.constantFrom("inside", "cut", "more", "twice"),
  )
  .map(([items, bad, at, wrong]) => {
    const array = joined([head(4, items.length, 1), ...items]);
    switch (wrong) {
      case "inside":
        return joined([head(4, items.length + 1, 1), ...items.toSpliced(at % (items.length + 1), 0, bad)]);
      case "cut":
        return array.slice(0, at % array.length);
      case "more":
        return joined([array, items[at % items.length] ?? []]);
      default: {
        const pair = [codec.encode(`name ${at}`), array];
        return joined([head(5, 2, 0), ...pair, ...pair]);
      }
    }
  });

/** Bytes of any origin that are meant for the codec. */
export const hostileBytes: fc.Arbitrary<Uint8Array> = fc.oneof(
  hostileItem,
  structured,
  fc.uint8Array({ maxLength: 64 }),
  damage(hostileItem),
  fc
    .tuple(fc.constantFrom("81", "a16161", "9f", "d9d9f7", "82"), hostileItem)
    .map(([before, item]) => joined([fromHex(before), item])),
);

interface Pair {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

type Change = (pairs: Pair[]) => Pair[];

const fieldName = fc.constantFrom("__proto__", "constructor", "toString", "x", "", "result", "meta", "rev", "v");

/**
 * Records of which something is not as it should be: a field has another value, is missing, is there twice or
 * unknown; the order is another one; the number of fields is a lie; the version is another one; a few bytes are wrong.
 *
 * @param fields what a valid record is made of
 */
export function mangled(fields: fc.Arbitrary<object>): fc.Arbitrary<Uint8Array> {
  const edge = fc.constantFrom(...(ITEMS["is a number at an edge"] ?? [])).map(fromHex);
  const change: fc.Arbitrary<Change> = fc.oneof(
    { weight: 2, arbitrary: fc.tuple(fc.nat(20), edge).map(([at, value]) => replaceAt(at, value)) },
    { weight: 4, arbitrary: fc.tuple(fc.nat(20), hostileItem).map(([at, value]) => replaceAt(at, value)) },
    fc.nat(20).map(
      (at): Change =>
        (pairs) =>
          pairs.toSpliced(at % pairs.length, 1),
    ),
    fc.nat(20).map(
      (at): Change =>
        (pairs) => [...pairs, pairs[at % pairs.length] as Pair],
    ),
    fc.tuple(fieldName, hostileItem).map(
      ([name, value]): Change =>
        (pairs) => [...pairs, { name: codec.encode(name), value }],
    ),
    fc.tuple(hostileItem, hostileItem).map(
      ([name, value]): Change =>
        (pairs) => [{ name, value }, ...pairs],
    ),
    fc.constant<Change>((pairs) => pairs.toReversed()),
    fc.constantFrom(0, 2, 3, -1, 1.5, "1", 1n, null).map(
      (version): Change =>
        (pairs) =>
          pairs.map(withVersion(version)),
    ),
  );
  const whole = fc
    .tuple(
      fields,
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.constantFrom(0, 0, 0, 0, 1, -1, 2 ** 32),
      fc.nat(9),
    )
    .map(([record, changes, lie, form]) => {
      const pairs = changes.reduce((done, apply) => (done.length === 0 ? done : apply(done)), pairsOf(record));
      return written(pairs, lie, form);
    });
  return fc.oneof(
    { weight: 4, arbitrary: whole },
    { weight: 1, arbitrary: damage(whole) },
    damage(fields.map((record) => codec.encode(record))),
  );
}

function replaceAt(at: number, value: Uint8Array): Change {
  return (pairs) => pairs.map((pair, index) => (index === at % pairs.length ? { ...pair, value } : pair));
}

function withVersion(version: unknown): (pair: Pair) => Pair {
  const name = Buffer.from(codec.encode("v"));
  return (pair) => (name.equals(pair.name) ? { ...pair, value: codec.encode(version) } : pair);
}

function pairsOf(record: object): Pair[] {
  return Object.entries(record).map(([name, value]) => ({ name: codec.encode(name), value: codec.encode(value) }));
}

/** A map, with a number of pairs that may be a lie, or none at all; tagged or not. */
function written(pairs: readonly Pair[], lie: number, form: number): Uint8Array {
  const items = pairs.flatMap(({ name, value }) => [name, value]);
  if (form === 1) return joined([[0xbf], ...items, [0xff]]);
  const start = head(5, Math.max(0, pairs.length + lie), lie > 1 ? 8 : 1);
  const tag = new Map([
    [2, [0xd9, 0xd9, 0xf7]],
    [3, [0xd9, 0x01, 0x03]],
  ]).get(form);
  return joined([tag ?? [], start, ...items]);
}

function joined(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}
