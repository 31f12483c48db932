import assert from "node:assert/strict";
import type { Cache } from "../../cache/contract.ts";
import { InvalidTtlError } from "../../cache/errors.ts";
import { rejectsWith, writeCalls } from "./calls.ts";
import { bytes, HOUR } from "./scene.ts";
import type { Suite } from "./suite.ts";

/** For arguments that TypeScript would refuse. */
// biome-ignore lint/suspicious/noExplicitAny: bad arguments are the point
type Bad = any;

const badTtls: readonly unknown[] = [0, -0, -1, Number.NaN, Number.NEGATIVE_INFINITY, "5", undefined, null, 5n, {}];

const badValues: ReadonlyArray<readonly [string, unknown]> = [
  ["a string", "value"],
  ["undefined", undefined],
  ["a number", 0],
  ["an array", [1, 2, 3]],
  ["an ArrayBuffer", new ArrayBuffer(3)],
  ["another typed array", new Uint16Array(3)],
  ["a DataView", new DataView(new ArrayBuffer(3))],
];

const [a, b] = [bytes("a"), bytes("b")];

export function badArguments(suite: Suite): void {
  suite.group("bad arguments reject before anything is written", () => {
    ttls(suite);
    values(suite);
    others(suite);
    order(suite);
  });
}

function ttls({ test }: Suite): void {
  for (const ttlMs of badTtls) {
    const shown = typeof ttlMs === "string" ? `"${ttlMs}"` : `${typeof ttlMs} ${String(ttlMs)}`;
    test(`a TTL of ${shown}: InvalidTtlError`, async ({ cache, key }) => {
      for (const [, write] of writeCalls) {
        await rejectsWith("ERR_INVALID_TTL", () => write(cache, key, a, ttlMs as Bad));
      }
      assert.equal(await cache.get(key), undefined);

      await cache.set(key, a, HOUR);
      await rejectsWith("ERR_INVALID_TTL", () => cache.set(key, b, ttlMs as Bad));
      await rejectsWith("ERR_INVALID_TTL", () => cache.compareAndSet(key, a, b, ttlMs as Bad));
      await rejectsWith("ERR_INVALID_TTL", () => cache.compareAndSet(key, a, a, ttlMs as Bad));
      assert.deepEqual(await cache.get(key), a);
    });
  }

  test("a bad TTL is an InvalidTtlError, which names the key", async ({ cache, key }) => {
    await assert.rejects(cache.set(key, a, 0), (error) => error instanceof InvalidTtlError && error.key === key);
  });
}

function values({ test, backend }: Suite): void {
  for (const [what, value] of badValues) {
    test(`a value that is ${what}: ERR_INVALID_VALUE`, async ({ cache, key }) => {
      for (const [, write] of writeCalls) {
        await rejectsWith("ERR_INVALID_VALUE", () => write(cache, key, value as Bad, HOUR));
      }
      await rejectsWith("ERR_INVALID_VALUE", () => cache.compareAndSet(key, value as Bad, a, HOUR));
      await rejectsWith("ERR_INVALID_VALUE", () => cache.compareAndSet(key, value as Bad, null));
      assert.equal(await cache.get(key), undefined);
    });
  }

  for (const [operation, write] of writeCalls.slice(0, 2)) {
    test(`${operation} does not take null for a value`, async ({ cache, key }) => {
      await rejectsWith("ERR_INVALID_VALUE", () => write(cache, key, null as Bad, HOUR));
    });
  }

  test("a value of more than maxValueBytes: ERR_INVALID_VALUE", async ({ cache, key }) => {
    const tooLarge = new Uint8Array((backend.maxValueBytes ?? 1024 * 1024) + 1);
    for (const [, write] of writeCalls) await rejectsWith("ERR_INVALID_VALUE", () => write(cache, key, tooLarge, HOUR));
    await rejectsWith("ERR_INVALID_VALUE", () => cache.compareAndSet(key, tooLarge, null));
    assert.equal(await cache.get(key), undefined);
  });
}

function others({ test }: Suite): void {
  test("compareAndSet from null to null: ERR_INVALID_ARGUMENT", async ({ cache, key }) => {
    await rejectsWith("ERR_INVALID_ARGUMENT", () => cache.compareAndSet(key, null, null));
    await rejectsWith("ERR_INVALID_ARGUMENT", () => cache.compareAndSet(key, null, null, HOUR));
  });

  test("watch without a function: ERR_INVALID_ARGUMENT", async ({ cache, key }) => {
    await rejectsWith("ERR_INVALID_ARGUMENT", () => cache.watch(key, undefined as Bad));
    assert.equal(cache.stats().watchedKeys, 0);
  });
}

function order({ test }: Suite): void {
  const allBad: ReadonlyArray<readonly [string, (cache: Cache, key: Bad, value: Bad) => Promise<unknown>]> = [
    ["set", (cache, key, value) => cache.set(key, value, 0)],
    ["getOrSet", (cache, key, value) => cache.getOrSet(key, value, 0)],
    ["compareAndSet (expected)", (cache, key, value) => cache.compareAndSet(key, value, b, 0)],
    ["compareAndSet (next)", (cache, key, value) => cache.compareAndSet(key, a, value, 0)],
  ];
  for (const [operation, call] of allBad) {
    test(`${operation} checks in this order: closed, key, value, TTL`, async ({ cache, key }) => {
      await rejectsWith("ERR_INVALID_TTL", () => call(cache, key, a));
      await rejectsWith("ERR_INVALID_VALUE", () => call(cache, key, "not bytes"));
      await rejectsWith("ERR_INVALID_KEY", () => call(cache, "", "not bytes"));
      await cache.close();
      await rejectsWith("ERR_CLOSED", () => call(cache, "", "not bytes"));
    });
  }
}
