/** The property that tenants cannot see one another, for any manager. */

import fc from "fast-check";
import { expect } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import type { Manager } from "../../../src/manager/index.ts";

export interface IsolationOptions {
  /** Opens a manager in front of stores that hold nothing; it is closed after one run. */
  open(): Manager | Promise<Manager>;
  /** Has idle connections evicted. */
  evict(): Promise<void>;
  readonly numRuns: number;
}

/** Of two letters, one of them the separator of prefixes: what could be confused often is. */
const confusing = (minLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom("a", ":"), minLength, maxLength: 3 });
/** Also empty, with what separates and escapes, in any script, very long. */
const tenantId = fc.oneof(
  { weight: 4, arbitrary: confusing(0) },
  fc.string({ unit: fc.constantFrom("a", ":", "{", "}", "%", "#") }),
  fc.string({ unit: "grapheme" }),
  fc.string({ minLength: 200, maxLength: 300 }),
);
const cacheKey = fc.oneof(
  { weight: 4, arbitrary: confusing(1) },
  fc.string({ unit: fc.constantFrom("a", ":", "{", "}"), minLength: 1 }),
);
const step = fc.record({
  tenant: fc.nat(),
  key: fc.nat(),
  value: fc.integer({ min: 0, max: 255 }).map((byte) => Uint8Array.of(byte)),
  what: fc.constantFrom("get", "set", "delete", "getOrSet", "compareAndSet", "evict"),
});

/** Random operations of random tenants: each sees what it would see if it were alone. */
export async function staysIsolated({ open, evict, numRuns }: IsolationOptions): Promise<void> {
  const tenants = fc.uniqueArray(tenantId, { minLength: 3, maxLength: 6 });
  const keys = fc.uniqueArray(cacheKey, { minLength: 2, maxLength: 5 });
  const property = fc.asyncProperty(
    tenants,
    keys,
    fc.array(step, { minLength: 10, maxLength: 60 }),
    async (ids, names, steps) => {
      const manager = await open();
      const models = new Map(ids.map((id) => [id, new Map<string, Uint8Array>()]));
      for (const { tenant, key, value, what } of steps) {
        const id = ids[tenant % ids.length] ?? "";
        const name = names[key % names.length] ?? "";
        if (what === "evict") await evict();
        else await apply(await manager.get(id), models.get(id) ?? new Map(), what, name, value);
      }
      await manager.close();
    },
  );
  await fc.assert(property, { numRuns });
}

/** One operation on a cache and on what it is expected to hold. */
async function apply(
  cache: Cache,
  model: Map<string, Uint8Array>,
  what: "get" | "set" | "delete" | "getOrSet" | "compareAndSet",
  key: string,
  value: Uint8Array,
): Promise<void> {
  const there = model.get(key);
  const forEver = Number.POSITIVE_INFINITY;
  switch (what) {
    case "get":
      return expect(await cache.get(key)).toEqual(there);
    case "set":
      model.set(key, value);
      return cache.set(key, value, forEver);
    case "delete":
      return expect(await cache.delete(key)).toBe(model.delete(key));
    case "getOrSet":
      if (there === undefined) model.set(key, value);
      return expect(await cache.getOrSet(key, value, forEver)).toEqual({
        value: there ?? value,
        wasSet: there === undefined,
      });
    case "compareAndSet":
      model.set(key, value);
      return expect(await cache.compareAndSet(key, there ?? null, value, forEver)).toBe(true);
  }
}
