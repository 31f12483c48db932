import { runInNewContext } from "node:vm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache, type MemoryCacheOptions } from "../../../src/cache/memory/index.ts";
import type { Timer } from "../../../src/runtime/clock.ts";
import { ManualClock } from "../../../src/testing/index.ts";

const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
const HOUR = 3_600_000;

let clock: ManualClock;
let opened: Cache[];

beforeEach(() => {
  clock = new ManualClock();
  opened = [];
});

afterEach(async () => {
  for (const cache of opened) await cache.close();
  expect(clock.timers).toBe(0);
});

function open(options: MemoryCacheOptions = {}): Cache {
  const cache = createMemoryCache({ clock, ...options });
  opened.push(cache);
  return cache;
}

describe("a full memory cache", () => {
  it("refuses a new entry with ERR_CACHE_FULL, by every operation that makes one", async () => {
    const cache = open({ maxEntries: 2 });
    await cache.set("one", a, HOUR);
    await cache.set("two", a, Number.POSITIVE_INFINITY);
    const full = { code: "ERR_CACHE_FULL", key: "three", message: expect.stringContaining("maxEntries is 2") };
    await expect(cache.set("three", a, HOUR)).rejects.toMatchObject(full);
    await expect(cache.getOrSet("three", a, HOUR)).rejects.toMatchObject(full);
    await expect(cache.compareAndSet("three", null, a, HOUR)).rejects.toMatchObject(full);
    expect(await cache.get("three")).toBeUndefined();
    expect(cache.stats().errors).toBe(3);
  });

  it("evicts nothing, and goes on replacing, renewing, reading and deleting what it holds", async () => {
    const cache = open({ maxEntries: 2 });
    await cache.set("one", a, HOUR);
    await cache.set("two", a, HOUR);
    await cache.set("three", a, HOUR).catch(() => {});
    expect(await cache.get("one")).toEqual(a);
    await cache.set("one", b, HOUR);
    expect(await cache.getOrSet("one", a, HOUR)).toEqual({ value: b, wasSet: false });
    expect(await cache.compareAndSet("two", a, a, HOUR)).toBe(true);
    expect(await cache.compareAndSet("two", a, null)).toBe(true);
    await cache.set("three", a, HOUR);
  });

  it("has room again as soon as one entry has expired, wherever it is", async () => {
    for (const short of [0, 1, 2, 3, 4]) {
      const cache = open({ maxEntries: 5 });
      for (let i = 0; i < 5; i++) await cache.set(`key ${i}`, a, i === short ? 100 : HOUR + i);
      await clock.advance(99);
      await expect(cache.set("new", a, HOUR)).rejects.toMatchObject({ code: "ERR_CACHE_FULL" });
      await clock.advance(1);
      await cache.set("new", a, HOUR);
      await expect(cache.set("newer", a, HOUR)).rejects.toMatchObject({ code: "ERR_CACHE_FULL" });
    }
  });

  it("does not count what was renewed to an earlier expiry, or deleted, as if it were there", async () => {
    for (const [renewed, deleted] of [
      ["one", "two"],
      ["two", "one"],
    ] as const) {
      const cache = open({ maxEntries: 2 });
      await cache.set("one", a, HOUR);
      await cache.set("two", a, HOUR);
      await cache.compareAndSet(renewed, a, a, 10);
      await clock.advance(10);
      await cache.set("three", a, HOUR);
      await cache.delete(deleted);
      await cache.set("four", a, HOUR);
      await expect(cache.set("five", a, HOUR)).rejects.toMatchObject({ code: "ERR_CACHE_FULL" });
    }
  });

  it("clears expired entries away while new ones come, without being full", async () => {
    const cache = open({ maxEntries: 1_000 });
    let finalized = 0;
    for (let i = 0; i < 500; i++) {
      await cache.watch(`old ${i}`, () => finalized++);
      await cache.set(`old ${i}`, a, 10);
    }
    clock.block(10); // Time passes without the watchers' timers.
    for (let i = 0; i < 250; i++) await cache.set(`new ${i}`, a, HOUR);
    expect(finalized).toBe(500);
  });
});

describe("expiry", () => {
  it("needs no timer: what was missed while the event loop was blocked is absent all the same", async () => {
    const cache = open();
    await cache.set("key", a, 10);
    expect(clock.timers).toBe(0);
    clock.block(10);
    expect(await cache.get("key")).toBeUndefined();
  });

  it("does not follow the wall clock, neither forwards nor backwards", async () => {
    const cache = open();
    await cache.set("key", a, 1_000);
    clock.jumpWall(HOUR);
    expect(await cache.get("key")).toEqual(a);
    clock.jumpWall(-2 * HOUR);
    await clock.advance(1_000);
    expect(await cache.get("key")).toBeUndefined();
  });

  it("stands still while the machine is suspended", async () => {
    const cache = open();
    await cache.set("key", a, 1_000);
    clock.suspend(HOUR);
    expect(await cache.get("key")).toEqual(a);
  });

  it("wakes a watcher at the expiry even where timers run a little early, as those of Node may", async () => {
    class EarlyClock extends ManualClock {
      override setTimer(callback: () => void, delayMs: number): Timer {
        return super.setTimer(callback, Math.max(0.25, delayMs - 0.75));
      }
    }
    const early = new EarlyClock();
    const cache = open({ clock: early });
    const onChange = vi.fn();
    await cache.set("key", a, 10);
    await cache.watch("key", onChange);
    await early.advance(9.9);
    expect(onChange).not.toHaveBeenCalled();
    await early.advance(1);
    expect(onChange).toHaveBeenCalledTimes(1);
    await cache.close();
    expect(early.timers).toBe(0);
  });
});

describe("each operation takes effect when it is called", () => {
  it("another handle sees it before the promise has settled", async () => {
    const [one, two] = [open({ name: "shared" }), open({ name: "shared" })];
    const set = one.set("key", a, HOUR);
    const got = two.get("key");
    expect(await got).toEqual(a);
    await set;
  });
});

describe("watch", () => {
  it("calls after the operation that changed the key has returned, not inside it", async () => {
    const cache = open();
    const onChange = vi.fn();
    await cache.watch("key", onChange);
    const change = cache.compareAndSet("key", null, a, HOUR);
    expect(onChange).not.toHaveBeenCalled();
    await change;
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("is not called after unwatch, even for a change made before", async () => {
    const cache = open();
    const onChange = vi.fn();
    const unwatch = await cache.watch("key", onChange);
    const change = cache.compareAndSet("key", null, a, HOUR);
    const ended = unwatch();
    await Promise.all([change, ended]);
    expect(onChange).not.toHaveBeenCalled();
  });

  it("has one timer per watched key that expires, however many watch it, and none after the last unwatch", async () => {
    const cache = open();
    await cache.set("key", a, HOUR);
    await cache.set("for ever", a, Number.POSITIVE_INFINITY);
    const unwatches = await Promise.all(
      ["key", "key", "key", "for ever", "absent"].map((key) => cache.watch(key, () => {})),
    );
    expect(clock.timers).toBe(1);
    for (const unwatch of unwatches) await unwatch();
    expect(clock.timers).toBe(0);
  });

  it("follows every change of the TTL: set, replaced, deleted, set anew", async () => {
    const cache = open();
    const onChange = vi.fn();
    await cache.watch("key", onChange);
    await cache.getOrSet("key", a, 100);
    await cache.set("key", a, 200);
    await clock.advance(150);
    expect(onChange).not.toHaveBeenCalled();
    await cache.delete("key");
    expect(clock.timers).toBe(0);
    await clock.advance(100);
    expect(onChange).not.toHaveBeenCalled();
    await cache.set("key", a, 100);
    await clock.advance(100);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("tells of an expiry that an operation finds before the timer has run, and only once", async () => {
    const cache = open();
    const onChange = vi.fn();
    await cache.set("key", a, 100);
    await cache.watch("key", onChange);
    clock.block(100);
    expect(await cache.get("key")).toBeUndefined();
    await clock.advance(1);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("a watcher that throws neither fails the operation nor keeps the others from being called", async () => {
    const uncaught = vi.fn();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", uncaught);
    try {
      const cache = open();
      const onChange = vi.fn();
      await cache.watch("key", () => {
        throw new Error("a fault of the watcher");
      });
      await cache.watch("key", onChange);
      expect(await cache.compareAndSet("key", null, a, HOUR)).toBe(true);
      await vi.waitFor(() => expect(uncaught).toHaveBeenCalledTimes(1));
      expect(onChange).toHaveBeenCalledTimes(1);
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    }
  });

  it("a watcher may watch and unwatch while it is called", async () => {
    const cache = open();
    const late = vi.fn();
    const unwatch = await cache.watch("key", () => {
      void unwatch();
      void cache.watch("key", late);
    });
    await cache.compareAndSet("key", null, a, HOUR);
    expect(late).not.toHaveBeenCalled();
    await cache.compareAndSet("key", a, null);
    expect(late).toHaveBeenCalledTimes(1);
  });
});

describe("names", () => {
  it("without a name, each cache is a store of its own", async () => {
    await open().set("key", a, HOUR);
    expect(await open().get("key")).toBeUndefined();
  });

  it("handles of one name share a store, those of another do not", async () => {
    const [one, two, other] = [open({ name: "orders" }), open({ name: "orders" }), open({ name: "users" })];
    await one.set("key", a, HOUR);
    expect(await two.get("key")).toEqual(a);
    expect(await other.get("key")).toBeUndefined();
  });

  it("the empty name is a name", async () => {
    const [one, two] = [open({ name: "" }), open({ name: "" })];
    await one.set("key", a, HOUR);
    expect(await two.get("key")).toEqual(a);
  });

  it("closing a handle closes only that handle", async () => {
    const [one, two] = [open({ name: "orders" }), open({ name: "orders" })];
    const onChange = vi.fn();
    await two.watch("key", onChange);
    await one.close();
    await one.close();
    await expect(one.get("key")).rejects.toMatchObject({ code: "ERR_CLOSED" });
    await two.compareAndSet("key", null, a, HOUR);
    expect(onChange).toHaveBeenCalledTimes(1);
    expect(await open({ name: "orders" }).get("key")).toEqual(a);
  });

  it("the store is forgotten with its last handle", async () => {
    const [one, two] = [open({ name: "orders" }), open({ name: "orders" })];
    await one.set("key", a, HOUR);
    await one.close();
    await two.close();
    expect(await open({ name: "orders" }).get("key")).toBeUndefined();
  });

  it("the limits of a store are those of its first handle; others must not contradict them", async () => {
    open({ name: "orders", maxEntries: 1 });
    const second = createMemoryCache({ name: "orders" });
    opened.push(second);
    await second.set("key", a, HOUR);
    await expect(second.set("other", a, HOUR)).rejects.toMatchObject({ code: "ERR_CACHE_FULL" });
    expect(() => createMemoryCache({ name: "orders", maxEntries: 2 })).toThrow(ConfigError);
    expect(() => createMemoryCache({ name: "orders", clock: new ManualClock() })).toThrow(ConfigError);
  });

  it("a handle that could not be opened does not keep the store alive", async () => {
    const first = open({ name: "orders" });
    await first.set("key", a, HOUR);
    expect(() => createMemoryCache({ name: "orders", maxValueBytes: 0 })).toThrow(ConfigError);
    await first.close();
    expect(await open({ name: "orders" }).get("key")).toBeUndefined();
  });
});

describe("keyPrefix", () => {
  it("handles with the same prefix share, all others are apart, whatever the keys", async () => {
    const under = (keyPrefix: string): Cache => open({ name: "tenants", keyPrefix });
    await under("a").set("bc", a, HOUR);
    expect(await under("a").get("bc")).toEqual(a);
    expect(await under("ab").get("c")).toBeUndefined();
    expect(await under("").get("abc")).toBeUndefined();
    expect(await under("b").compareAndSet("bc", null, b, HOUR)).toBe(true);
    expect(await under("a").get("bc")).toEqual(a);
  });

  it("watchers hear only of their own prefix", async () => {
    const [one, two] = [open({ name: "t", keyPrefix: "1:" }), open({ name: "t", keyPrefix: "2:" })];
    const onChange = vi.fn();
    await one.watch("key", onChange);
    await two.compareAndSet("key", null, a, HOUR);
    expect(onChange).not.toHaveBeenCalled();
    await one.compareAndSet("key", null, a, HOUR);
    expect(onChange).toHaveBeenCalledTimes(1);
  });

  it("an error names the key as the caller wrote it", async () => {
    const cache = open({ keyPrefix: "shop:", maxEntries: 1 });
    await cache.set("one", a, HOUR);
    await expect(cache.set("two", a, HOUR)).rejects.toMatchObject({
      key: "two",
      message: expect.stringContaining('"two"'),
    });
  });
});

describe("options", () => {
  it.each<[string, object]>([
    ["maxEntries", { maxEntries: 0 }],
    ["maxEntries", { maxEntries: 1.5 }],
    ["maxEntries", { maxEntries: Number.NaN }],
    ["maxEntries", { maxEntries: Number.POSITIVE_INFINITY }],
    ["maxEntries", { maxEntries: 2 ** 24 + 1 }],
    ["maxEntries", { maxEntries: "5" }],
    ["maxValueBytes", { maxValueBytes: 0 }],
    ["maxValueBytes", { maxValueBytes: -1 }],
    ["maxValueBytes", { maxValueBytes: null }],
    ["keyPrefix", { keyPrefix: 5 }],
    ["keyPrefix", { keyPrefix: "\ud800" }],
    ["keyPrefix", { keyPrefix: "{a" }],
    ["keyPrefix", { keyPrefix: null }],
    ["name", { name: null }],
  ])("refuses a bad %s by name: %o", (option, options) => {
    expect(() => createMemoryCache(options)).toThrow(ConfigError);
    expect(() => createMemoryCache(options)).toThrow(option);
  });

  it("must come as an object", () => {
    for (const options of [null, 5]) expect(() => createMemoryCache(options as never)).toThrow(ConfigError);
  });

  it("maxValueBytes is the handle's", async () => {
    const small = open({ name: "sizes", maxValueBytes: 3 });
    await small.set("key", new Uint8Array(3), HOUR);
    await expect(small.set("key", new Uint8Array(4), HOUR)).rejects.toMatchObject({ code: "ERR_INVALID_VALUE" });
    await open({ name: "sizes" }).set("key", new Uint8Array(4), HOUR);
  });
});

it("says that bytes come from another realm, which looks like being refused for what they are", async () => {
  const foreign = runInNewContext("new Uint8Array([1])") as Uint8Array;
  await expect(open().set("key", foreign, HOUR)).rejects.toMatchObject({
    code: "ERR_INVALID_VALUE",
    message: expect.stringContaining("another realm"),
  });
});
