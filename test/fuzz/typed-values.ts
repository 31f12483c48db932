import assert from "node:assert/strict";
import fc from "fast-check";
import { codec } from "../../src/cache/codec/codec.ts";
import { HoldfastError } from "../../src/cache/errors.ts";
import { createMemoryCache } from "../../src/cache/memory/index.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { defineKey } from "../../src/typed/define-key.ts";
import { decodeEntry, type Entry, encodeComputed } from "../../src/typed/entry.ts";
import { typed } from "../../src/typed/typed.ts";
import { encodable } from "../support/arbitrary-values.ts";
import { orRefused } from "./codec.ts";
import { hostileBytes, mangled } from "./hostile-cbor.ts";
import { decoding } from "./limits.ts";
import { type FuzzTarget, target } from "./target.ts";

const ms = fc.oneof(fc.nat(), fc.double({ noNaN: true }));

const entry: fc.Arbitrary<Entry> = fc.record(
  { value: encodable, freshUntilMs: ms, retryAtMs: ms },
  { requiredKeys: ["value", "freshUntilMs"], noNullPrototype: true },
);

const entryBytes = fc.oneof(
  { weight: 1, arbitrary: entry.map((one) => encodeComputed(one, codec)) },
  {
    weight: 3,
    arbitrary: mangled(entry.map((one) => codec.decode(encodeComputed(one, codec)) as object)).map(selfDescribed),
  },
  { weight: 1, arbitrary: hostileBytes.map(selfDescribed) },
  { weight: 1, arbitrary: hostileBytes },
);

function selfDescribed(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([0xd9, 0xd9, 0xf7, ...bytes]);
}

export const typedTargets: readonly FuzzTarget[] = [
  target({
    name: "computed values that were written",
    inputs: entry,
    outcomes: ["same"],
    runs: 500,
    check(one) {
      assert.deepEqual(decodeEntry(encodeComputed(one, codec), codec), one);
      return "same";
    },
  }),
  target({
    name: "typed values",
    inputs: entryBytes,
    outcomes: ["computed", "plain", "refused"],
    runs: 1_500,
    check(bytes) {
      const decoded = orRefused(() => decoding(bytes, () => decodeEntry(bytes, codec)));
      if (decoded === undefined) return "refused";
      const { freshUntilMs, retryAtMs = 0 } = decoded.value;
      assert(typeof freshUntilMs === "number" && !Number.isNaN(freshUntilMs), `fresh until ${freshUntilMs}`);
      assert(typeof retryAtMs === "number" && !Number.isNaN(retryAtMs), `retry at ${retryAtMs}`);
      return freshUntilMs === Number.POSITIVE_INFINITY ? "plain" : "computed";
    },
  }),
  target({
    name: "what a typed key holds",
    inputs: entryBytes,
    outcomes: ["served", "computed"],
    runs: 300,
    async check(bytes) {
      await using cache = disposable(bytes);
      const { values } = cache;
      await values.get({ id: "1" }).catch((error: unknown) => assert(error instanceof HoldfastError, String(error)));
      const value = await values.getOrCompute({ id: "1" }, () => "computed");
      if (value === "computed") assert.equal(await values.get({ id: "1" }), "computed");
      await values.set({ id: "1" }, "set");
      assert.equal(await values.update({ id: "1" }, (old) => `${String(old)} again`), "set again");
      return value === "computed" ? "computed" : "served";
    },
  }),
];

function disposable(bytes: Uint8Array) {
  const clock = new ManualClock();
  const cache = createMemoryCache({ clock });
  void cache.set("value:1", bytes, 60_000);
  const values = typed(cache, defineKey("value:{id}", { ttlMs: 60_000 }), { clock });
  return { values, [Symbol.asyncDispose]: () => cache.close() };
}
