import assert from "node:assert/strict";
import { ClosedError } from "../../cache/errors.ts";
import { keyedCalls, rejectsWith } from "./calls.ts";
import { bytes, Calls, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

const a = bytes("a");

export function lifecycle(suite: Suite): void {
  suite.group("health, stats and close", () => {
    health(suite);
    stats(suite);
    closing(suite);
  });
}

function health({ test }: Suite): void {
  test("health resolves while the store answers", async ({ cache }) => {
    assert.equal(await cache.health(), undefined);
  });
}

function stats({ test }: Suite): void {
  test("stats are plain data, and a copy", async ({ cache, key }) => {
    const before = cache.stats();
    await cache.get(key);
    assert.deepEqual(JSON.parse(JSON.stringify(before)), before);
    assert.equal(before.operations.get, 0);
    assert.equal(before.state, "ready");
    assert.ok(before.backend.length > 0);
  });

  test("stats count each operation by its name", async ({ cache, key }) => {
    await cache.set(key, a, HOUR);
    await cache.get(key);
    await cache.get(key);
    await cache.getOrSet(key, a, HOUR);
    await cache.compareAndSet(key, a, a, HOUR);
    await cache.delete(key);
    await cache.health();
    await (await cache.watch(key, () => {}))();
    assert.deepEqual(cache.stats().operations, {
      set: 1,
      get: 2,
      getOrSet: 1,
      compareAndSet: 1,
      delete: 1,
      health: 1,
      watch: 1,
    });
  });

  test("stats count hits and misses; an empty value is a hit", async ({ cache, key }) => {
    await cache.get(key);
    await cache.set(key, bytes([]), HOUR);
    await cache.get(key);
    await cache.get(key);
    const { hits, misses } = cache.stats();
    assert.deepEqual({ hits, misses }, { hits: 2, misses: 1 });
  });

  test("a refused argument is not an error of an operation; nothing stays in flight", async ({ cache, key }) => {
    await rejectsWith("ERR_INVALID_TTL", () => cache.set(key, a, 0));
    await Promise.all(Array.from({ length: 20 }, () => cache.getOrSet(key, a, HOUR)));
    const { errors, timeouts, inFlight } = cache.stats();
    assert.deepEqual({ errors, timeouts, inFlight }, { errors: 0, timeouts: 0, inFlight: 0 });
  });

  test("stats count the keys that are watched, each once", async ({ cache, key }) => {
    const unwatch = await Promise.all([cache.watch(key, () => {}), cache.watch(key, () => {})]);
    await cache.watch(`${key}:2`, () => {});
    assert.equal(cache.stats().watchedKeys, 2);
    await unwatch[0]();
    assert.equal(cache.stats().watchedKeys, 2);
    await unwatch[1]();
    assert.equal(cache.stats().watchedKeys, 1);
  });

  test("stats can be read after close", async ({ cache, key }) => {
    await cache.watch(key, () => {});
    await cache.close();
    const { state, watchedKeys, inFlight } = cache.stats();
    assert.deepEqual({ state, watchedKeys, inFlight }, { state: "closed", watchedKeys: 0, inFlight: 0 });
  });
}

function closing({ test }: Suite): void {
  test("after close every operation rejects with ClosedError", async ({ cache, key }) => {
    await cache.close();
    for (const [, call] of keyedCalls) await rejectsWith("ERR_CLOSED", () => call(cache, key));
    await rejectsWith("ERR_CLOSED", () => cache.health());
    await assert.rejects(cache.get(key), ClosedError);
  });

  test("an operation called while close is under way rejects with ClosedError", async ({ cache, key }) => {
    const closed = cache.close();
    for (const [, call] of keyedCalls) await rejectsWith("ERR_CLOSED", () => call(cache, key));
    await closed;
  });

  test("close is idempotent, one after the other and at once", async ({ cache }) => {
    await Promise.all([cache.close(), cache.close()]);
    assert.equal(await cache.close(), undefined);
  });

  test("close lets the operations in flight finish", async (scene) => {
    const { cache, key } = scene;
    const other = await scene.open();
    const results = Array.from({ length: 50 }, (_, i) => cache.getOrSet(`${key}:${i}`, bytes([i]), HOUR));
    await cache.close();
    assert.equal((await Promise.all(results)).filter((result) => result.wasSet).length, 50);
    assert.deepEqual(await other.get(`${key}:49`), bytes([49]));
  });

  test("close ends the watches of this client; ending one again is harmless", async (scene) => {
    const [mine, others] = [new Calls(), new Calls()];
    const other = await scene.open();
    const unwatch = await scene.cache.watch(scene.key, mine.listener);
    await other.watch(scene.key, others.listener);
    await scene.cache.close();
    await other.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the other client's watcher is called", () => others.count > 0);
    assert.equal(mine.count, 0);
    await unwatch();
  });

  test("close leaves the other clients and the data alone", async (scene) => {
    const other = await scene.open();
    await scene.cache.set(scene.key, a, HOUR);
    await scene.cache.close();
    assert.deepEqual(await other.get(scene.key), a);
    assert.equal(await other.compareAndSet(scene.key, a, null), true);
  });
}
