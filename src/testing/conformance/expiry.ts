import assert from "node:assert/strict";
import { writeCalls } from "./calls.ts";
import { bytes, HOUR, type Scene } from "./scene.ts";
import type { Suite } from "./suite.ts";

const [a, b] = [bytes("a"), bytes("b")];

/** What every operation says of a key that was written and has expired. */
const onExpired: ReadonlyArray<readonly [string, (scene: Scene) => Promise<void>]> = [
  ["get is undefined", async ({ cache, key }) => assert.equal(await cache.get(key), undefined)],
  ["delete is false", async ({ cache, key }) => assert.equal(await cache.delete(key), false)],
  [
    "getOrSet sets",
    async ({ cache, key }) => assert.deepEqual(await cache.getOrSet(key, b, HOUR), { value: b, wasSet: true }),
  ],
  [
    "compareAndSet from the expired value is false",
    async ({ cache, key }) => {
      assert.equal(await cache.compareAndSet(key, a, b, HOUR), false);
      assert.equal(await cache.get(key), undefined);
    },
  ],
  [
    "a renewal is false: an expired value is not brought back",
    async ({ cache, key }) => {
      assert.equal(await cache.compareAndSet(key, a, a, HOUR), false);
      assert.equal(await cache.get(key), undefined);
    },
  ],
  [
    "compareAndSet that deletes the expired value is false",
    async ({ cache, key }) => assert.equal(await cache.compareAndSet(key, a, null), false),
  ],
  [
    "compareAndSet from null creates",
    async ({ cache, key }) => {
      assert.equal(await cache.compareAndSet(key, null, b, HOUR), true);
      assert.deepEqual(await cache.get(key), b);
    },
  ],
];

export function expiry(suite: Suite): void {
  suite.group("expiry", () => {
    expired(suite);
    ttls(suite);
    replacedTtls(suite);
    if (suite.backend.exactTime) toTheMillisecond(suite);
  });
}

function expired({ test }: Suite): void {
  for (const [what, check] of onExpired) {
    test(`an expired value is absent: ${what}`, async (scene) => {
      await scene.cache.set(scene.key, a, scene.unitMs);
      await scene.outlive(scene.unitMs);
      await check(scene);
    });
  }
}

function ttls({ test }: Suite): void {
  for (const [operation, write] of writeCalls) {
    test(`${operation} gives its value a TTL`, async (scene) => {
      await write(scene.cache, scene.key, a, scene.unitMs);
      await scene.outlive(scene.unitMs);
      assert.equal(await scene.cache.get(scene.key), undefined);
    });

    test(`${operation} rounds a fraction of a millisecond up, never down to "no expiry"`, async (scene) => {
      await write(scene.cache, scene.key, a, 0.2);
      await scene.outlive(scene.unitMs);
      assert.equal(await scene.cache.get(scene.key), undefined);
    });

    for (const ttlMs of [Number.POSITIVE_INFINITY, Number.MAX_VALUE, Number.MAX_SAFE_INTEGER, 2 ** 32, HOUR]) {
      test(`${operation} takes a TTL of ${ttlMs}`, async (scene) => {
        await write(scene.cache, scene.key, a, ttlMs);
        await scene.elapse(scene.unitMs);
        assert.deepEqual(await scene.cache.get(scene.key), a);
      });
    }
  }
}

function replacedTtls({ test }: Suite): void {
  test("set replaces the TTL: a longer one", async (scene) => {
    await scene.cache.set(scene.key, a, scene.unitMs);
    await scene.cache.set(scene.key, b, HOUR);
    await scene.outlive(scene.unitMs);
    assert.deepEqual(await scene.cache.get(scene.key), b);
  });

  test("set replaces the TTL: none", async (scene) => {
    await scene.cache.set(scene.key, a, scene.unitMs);
    await scene.cache.set(scene.key, b, Number.POSITIVE_INFINITY);
    await scene.outlive(scene.unitMs);
    assert.deepEqual(await scene.cache.get(scene.key), b);
  });

  test("set replaces the TTL: a shorter one", async (scene) => {
    await scene.cache.set(scene.key, a, Number.POSITIVE_INFINITY);
    await scene.cache.set(scene.key, b, scene.unitMs);
    await scene.outlive(scene.unitMs);
    assert.equal(await scene.cache.get(scene.key), undefined);
  });

  test("getOrSet does not touch the TTL of an existing value", async (scene) => {
    const { cache, key, unitMs } = scene;
    await scene.within(unitMs, async () => {
      await cache.set(key, a, unitMs);
      assert.equal((await cache.getOrSet(key, b, HOUR)).wasSet, false);
    });
    await scene.outlive(unitMs);
    assert.equal(await cache.get(key), undefined);
  });

  for (const [what, next] of [
    ["another value", b],
    ["the same value (a renewal)", a],
  ] as const) {
    for (const ttlMs of [HOUR, Number.POSITIVE_INFINITY]) {
      test(`compareAndSet to ${what} replaces the TTL: ${ttlMs}`, async (scene) => {
        const { cache, key, unitMs } = scene;
        await scene.within(unitMs, async () => {
          await cache.set(key, a, unitMs);
          assert.equal(await cache.compareAndSet(key, a, next, ttlMs), true);
        });
        await scene.outlive(unitMs);
        assert.deepEqual(await cache.get(key), next);
      });
    }

    for (const before of [HOUR, Number.POSITIVE_INFINITY]) {
      test(`compareAndSet to ${what} replaces a TTL of ${before} by a short one`, async (scene) => {
        await scene.cache.set(scene.key, a, before);
        assert.equal(await scene.cache.compareAndSet(scene.key, a, next, scene.unitMs), true);
        await scene.outlive(scene.unitMs);
        assert.equal(await scene.cache.get(scene.key), undefined);
      });
    }
  }

  test("a compareAndSet that fails leaves the TTL as it was: it does not lengthen it", async (scene) => {
    await scene.cache.set(scene.key, a, scene.unitMs);
    assert.equal(await scene.cache.compareAndSet(scene.key, b, b, HOUR), false);
    assert.equal(await scene.cache.compareAndSet(scene.key, b, a, HOUR), false);
    await scene.outlive(scene.unitMs);
    assert.equal(await scene.cache.get(scene.key), undefined);
  });

  test("a compareAndSet that fails leaves the TTL as it was: it does not shorten it", async (scene) => {
    await scene.cache.set(scene.key, a, HOUR);
    assert.equal(await scene.cache.compareAndSet(scene.key, null, b, scene.unitMs), false);
    assert.equal(await scene.cache.compareAndSet(scene.key, b, a, scene.unitMs), false);
    await scene.outlive(scene.unitMs);
    assert.deepEqual(await scene.cache.get(scene.key), a);
  });

  test("a deleted key starts anew: the old TTL is forgotten", async (scene) => {
    await scene.cache.set(scene.key, a, scene.unitMs);
    await scene.cache.delete(scene.key);
    await scene.cache.compareAndSet(scene.key, null, b, HOUR);
    await scene.outlive(scene.unitMs);
    assert.deepEqual(await scene.cache.get(scene.key), b);
  });
}

function toTheMillisecond({ test }: Suite): void {
  for (const [operation, write] of writeCalls) {
    test(`${operation}: there until its last millisecond, absent from the instant it ends`, async (scene) => {
      await write(scene.cache, scene.key, a, 500);
      await scene.elapse(499);
      assert.deepEqual(await scene.cache.get(scene.key), a);
      await scene.elapse(1);
      assert.equal(await scene.cache.get(scene.key), undefined);
    });

    test(`${operation}: a TTL of 10.2 ms is one of 11 ms`, async (scene) => {
      await write(scene.cache, scene.key, a, 10.2);
      await scene.elapse(10);
      assert.deepEqual(await scene.cache.get(scene.key), a);
      await scene.elapse(1);
      assert.equal(await scene.cache.get(scene.key), undefined);
    });
  }

  test("a renewal counts from when it was made", async (scene) => {
    await scene.cache.set(scene.key, a, 500);
    await scene.elapse(400);
    assert.equal(await scene.cache.compareAndSet(scene.key, a, a, 500), true);
    await scene.elapse(499);
    assert.deepEqual(await scene.cache.get(scene.key), a);
    await scene.elapse(1);
    assert.equal(await scene.cache.get(scene.key), undefined);
  });

  test("Infinity outlives a thousand years", async (scene) => {
    await scene.cache.set(scene.key, a, Number.POSITIVE_INFINITY);
    await scene.elapse(1_000 * 365 * 24 * HOUR);
    assert.deepEqual(await scene.cache.get(scene.key), a);
  });
}
