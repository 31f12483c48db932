import assert from "node:assert/strict";
import type { Cache } from "../../cache/contract.ts";
import { bytes, Calls, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

const [a, b] = [bytes("a"), bytes("b")];

/** Each brings the key from "holds `a`" into another state, by a compare-and-set. */
const changes: ReadonlyArray<readonly [string, (cache: Cache, key: string) => Promise<unknown>]> = [
  ["to another value", (cache, key) => cache.compareAndSet(key, a, b, HOUR)],
  ["to a longer value", (cache, key) => cache.compareAndSet(key, a, bytes("aa"), HOUR)],
  ["to the empty value", (cache, key) => cache.compareAndSet(key, a, bytes([]), HOUR)],
  ["that deletes", (cache, key) => cache.compareAndSet(key, a, null)],
];

export function watching(suite: Suite): void {
  suite.group("watch", () => {
    changed(suite);
    expired(suite);
    ended(suite);
    if (suite.backend.exactWatch) exactly(suite);
  });
}

function changed({ test }: Suite): void {
  for (const [what, change] of changes) {
    test(`is called on a compareAndSet ${what}, by this client or another`, async (scene) => {
      for (const client of [scene.cache, await scene.open()]) {
        const calls = new Calls();
        await scene.cache.set(scene.key, a, HOUR);
        const unwatch = await scene.cache.watch(scene.key, calls.listener);
        await change(client, scene.key);
        await scene.eventually("the watcher is called", () => calls.count > 0);
        await unwatch();
      }
    });
  }

  test("is called when an absent key is created by compareAndSet", async (scene) => {
    const calls = new Calls();
    await scene.cache.watch(scene.key, calls.listener);
    await (await scene.open()).compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the watcher is called", () => calls.count > 0);
  });

  test("is active when it resolves: what changes right afterwards is not missed", async (scene) => {
    const other = await scene.open();
    for (let round = 0; round < 20; round++) {
      const calls = new Calls();
      const key = `${scene.key}:${round}`;
      await other.set(key, a, HOUR);
      const unwatch = await scene.cache.watch(key, calls.listener);
      await other.compareAndSet(key, a, null);
      await scene.eventually(`the watcher is called in round ${round}`, () => calls.count > 0);
      await unwatch();
    }
  });

  test("is called again for each later change", async (scene) => {
    const calls = new Calls();
    await scene.cache.watch(scene.key, calls.listener);
    for (const [from, to] of [
      [null, a],
      [a, b],
      [b, null],
    ] as const) {
      const before = calls.count;
      assert.equal(await scene.cache.compareAndSet(scene.key, from, to, HOUR), true);
      await scene.eventually("the watcher is called", () => calls.count > before);
    }
  });

  test("every watcher of a key is called, in every client", async (scene) => {
    const [one, two] = [scene.cache, await scene.open()];
    const all = [new Calls(), new Calls(), new Calls(), new Calls()];
    await Promise.all(all.map((calls, i) => (i < 2 ? one : two).watch(scene.key, calls.listener)));
    await one.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("every watcher is called", () => all.every((calls) => calls.count > 0));
  });

  test("many keys can be watched at once", async (scene) => {
    const watched = Array.from({ length: 30 }, (_, i) => ({ key: `${scene.key}:${i}`, calls: new Calls() }));
    await Promise.all(watched.map(({ key, calls }) => scene.cache.watch(key, calls.listener)));
    assert.equal(scene.cache.stats().watchedKeys, 30);
    await Promise.all(watched.map(({ key }) => scene.cache.compareAndSet(key, null, a, HOUR)));
    await scene.eventually("every watcher is called", () => watched.every(({ calls }) => calls.count > 0));
  });

  test("takes any key", async (scene) => {
    const key = `{t} 🔑\r\n*${scene.key}`.padEnd(1_000, "k");
    const calls = new Calls();
    await scene.cache.watch(key, calls.listener);
    await (await scene.open()).compareAndSet(key, null, a, HOUR);
    await scene.eventually("the watcher is called", () => calls.count > 0);
  });

  test("an onChange may use the cache", async (scene) => {
    const seen: Array<Uint8Array | undefined> = [];
    await scene.cache.watch(scene.key, () => void scene.cache.get(scene.key).then((value) => seen.push(value)));
    await scene.cache.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the watcher has read the value", () => seen.length > 0);
    assert.deepEqual(seen[0], a);
  });
}

function expired({ test }: Suite): void {
  test("is called when the value expires", async (scene) => {
    const calls = new Calls();
    const ttlMs = 2 * scene.unitMs;
    await scene.within(ttlMs, async () => {
      await scene.cache.set(scene.key, a, ttlMs);
      await scene.cache.watch(scene.key, calls.listener);
    });
    await scene.outlive(ttlMs);
    await scene.eventually("the watcher is called", () => calls.count > 0);
    assert.equal(await scene.cache.get(scene.key), undefined);
  });

  test("is called when a renewed value expires at last", async (scene) => {
    const calls = new Calls();
    const ttlMs = 2 * scene.unitMs;
    const other = await scene.open();
    await scene.within(ttlMs, async () => {
      await other.set(scene.key, a, ttlMs);
      await scene.cache.watch(scene.key, calls.listener);
      assert.equal(await other.compareAndSet(scene.key, a, a, 3 * scene.unitMs), true);
    });
    await scene.outlive(3 * scene.unitMs);
    await scene.eventually("the watcher is called", () => calls.count > 0);
    assert.equal(await scene.cache.get(scene.key), undefined);
  });

  test("is called when a value that was changed while watched expires", async (scene) => {
    const calls = new Calls();
    const other = await scene.open();
    await other.set(scene.key, a, HOUR);
    await scene.cache.watch(scene.key, calls.listener);
    assert.equal(await other.compareAndSet(scene.key, a, b, 3 * scene.unitMs), true);
    await scene.eventually("the watcher is called for the change", () => calls.count > 0);
    const before = calls.count;
    await scene.outlive(3 * scene.unitMs);
    await scene.eventually("the watcher is called for the expiry", () => calls.count > before);
  });
}

function ended({ test }: Suite): void {
  test("unwatch ends the calls to this watcher and to no other", async (scene) => {
    const [gone, stays] = [new Calls(), new Calls()];
    const unwatch = await scene.cache.watch(scene.key, gone.listener);
    await scene.cache.watch(scene.key, stays.listener);
    const ending = unwatch();
    await scene.cache.compareAndSet(scene.key, null, a, HOUR);
    await ending;
    await scene.eventually("the other watcher is called", () => stays.count > 0);
    assert.equal(gone.count, 0);
  });

  test("unwatch is idempotent, and counts once", async (scene) => {
    const stays = new Calls();
    const unwatch = await scene.cache.watch(scene.key, () => {});
    await scene.cache.watch(scene.key, stays.listener);
    await Promise.all([unwatch(), unwatch()]);
    await unwatch();
    assert.equal(scene.cache.stats().watchedKeys, 1);
    await scene.cache.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the other watcher is called", () => stays.count > 0);
  });

  test("one function that watches twice is two watches", async (scene) => {
    const calls = new Calls();
    const unwatch = await scene.cache.watch(scene.key, calls.listener);
    await scene.cache.watch(scene.key, calls.listener);
    await unwatch();
    await scene.cache.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the second watch still calls", () => calls.count > 0);
  });

  test("a key can be watched again after its last watch has ended", async (scene) => {
    for (let round = 0; round < 5; round++) {
      const calls = new Calls();
      const unwatch = await scene.cache.watch(scene.key, calls.listener);
      await scene.cache.compareAndSet(scene.key, round === 0 ? null : bytes([round - 1]), bytes([round]), HOUR);
      await scene.eventually(`the watcher is called in round ${round}`, () => calls.count > 0);
      await unwatch();
      assert.equal(scene.cache.stats().watchedKeys, 0);
    }
  });

  test("watches that start and end at the same time do not disturb each other", async (scene) => {
    const first = await scene.cache.watch(scene.key, () => {});
    const calls = new Calls();
    const [, second] = await Promise.all([first(), scene.cache.watch(scene.key, calls.listener)]);
    await scene.cache.compareAndSet(scene.key, null, a, HOUR);
    await scene.eventually("the new watcher is called", () => calls.count > 0);
    await second();
  });
}

function exactly({ test }: Suite): void {
  const silent: ReadonlyArray<readonly [string, (cache: Cache, key: string) => Promise<unknown>]> = [
    ["a renewal (the same bytes)", (cache, key) => cache.compareAndSet(key, a, a, HOUR)],
    ["a compareAndSet that fails", (cache, key) => cache.compareAndSet(key, b, null)],
    ["a change with announce: none", (cache, key) => cache.compareAndSet(key, a, b, HOUR, { announce: "none" })],
    ["reading", (cache, key) => cache.get(key)],
    ["a getOrSet that finds a value", (cache, key) => cache.getOrSet(key, b, HOUR)],
    ["a change of another key", (cache, key) => cache.compareAndSet(`${key}2`, null, a, HOUR)],
  ];
  for (const [what, call] of silent) {
    test(`is not called on ${what}`, async ({ cache, key }) => {
      const calls = new Calls();
      await cache.set(key, a, HOUR);
      await cache.watch(key, calls.listener);
      await call(cache, key);
      const now = (await cache.get(key)) ?? null;
      await cache.compareAndSet(key, now, null);
      assert.equal(calls.count, 1, "called for the last change, and only for that");
    });
  }

  test("is called once, at the instant of expiry, and not before", async (scene) => {
    const calls = new Calls();
    await scene.cache.set(scene.key, a, 500);
    await scene.cache.watch(scene.key, calls.listener);
    await scene.cache.compareAndSet(scene.key, a, a, 800);
    await scene.elapse(799);
    assert.equal(calls.count, 0);
    await scene.elapse(1);
    assert.equal(calls.count, 1);
    await scene.elapse(HOUR);
    assert.equal(calls.count, 1);
  });
}
