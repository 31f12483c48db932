import assert from "node:assert/strict";
import { bytes, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

const [a, b] = [bytes("a"), bytes("b")];

/** Tests of `ordered`; a cache that does not claim it only answers that it does not. */
export function ordering({ group, test }: Suite): void {
  group("ordered", () => {
    test("is a boolean that does not change", async ({ cache, key }) => {
      const { ordered } = cache;
      assert.equal(typeof ordered, "boolean");
      await cache.get(key);
      assert.equal(cache.ordered, ordered);
    });

    test("if true: calls on one key take effect in the order of calling", async ({ cache, key }) => {
      if (!cache.ordered) return;
      const results = await Promise.all([
        cache.set(key, a, HOUR),
        cache.compareAndSet(key, a, b, HOUR),
        cache.get(key),
        cache.getOrSet(key, a, HOUR),
        cache.compareAndSet(key, b, null),
        cache.delete(key),
        cache.compareAndSet(key, null, a, HOUR),
        cache.delete(key),
        cache.getOrSet(key, b, HOUR),
      ]);
      assert.deepEqual(results, [
        undefined,
        true,
        b,
        { value: b, wasSet: false },
        true,
        false,
        true,
        true,
        { value: b, wasSet: true },
      ]);
    });

    test("if true: another client sees calls on two keys of one hash tag in that order", async (scene) => {
      if (!scene.cache.ordered) return;
      const [first, second] = [`{${scene.key}}:first`, `{${scene.key}}:second`];
      const other = await scene.open();
      for (let round = 1; round <= 100; round++) {
        const previous = round === 1 ? null : bytes([round - 1]);
        const written = Promise.all([
          scene.cache.compareAndSet(first, previous, bytes([round]), HOUR),
          scene.cache.compareAndSet(second, previous, bytes([round]), HOUR),
        ]);
        // Read in the opposite order: the first key can then only be further on.
        const later = (await other.get(second))?.[0] ?? 0;
        const earlier = (await other.get(first))?.[0] ?? 0;
        assert.deepEqual(await written, [true, true]);
        assert.ok(earlier >= later, `the second key is at ${later}, the first still at ${earlier}`);
      }
    });
  });
}
