import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockLostError } from "../../../src/primitives/lock/errors.ts";
import type { Lock } from "../../../src/primitives/lock/lock.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { LateCache } from "./late-cache.ts";

describe("a held lock", () => {
  let clock: ManualClock;
  let cache: LateCache;
  let lock: Lock;

  beforeEach(async () => {
    clock = new ManualClock();
    cache = new LateCache(createMemoryCache({ clock }), { clock });
    lock = await acquireLock(cache, "job", { clock, ttlMs: 3_000 });
  });

  afterEach(async () => {
    await lock.release();
    await clock.advance(1_000);
    expect(clock.timers, "timers left").toBe(0);
  });

  it("outlives a renewal that hangs for ever", async () => {
    const hanging = cache.inject({ fault: "hang", operation: "compareAndSet", times: 1 });
    await clock.advance(10_000);
    expect(lock.isHeld()).toBe(true);
    hanging.release();
  });

  it("outlives a renewal that was sent before an extension and arrives after it", async () => {
    const slow = cache.inject({ fault: "delay", delayMs: 100, operation: "compareAndSet", times: 1 });
    while (slow.hits === 0) await clock.advance(10);
    await lock.extend(6_000);
    await clock.advance(200);
    expect(lock.isHeld()).toBe(true);
  });

  it("is given back at once while an extension hangs, for good", async () => {
    const hanging = cache.inject({ fault: "hang", operation: "compareAndSet", skip: 1, times: 1 });
    const extension = lock.extend(6_000);
    while (hanging.hits === 0) await clock.advance(0);
    expect(await lock.release()).toBe(true);
    expect(await cache.get("lock:{job}")).toBeUndefined();
    hanging.release();
    await expect(extension).rejects.toThrow(LockLostError);
    expect(await cache.get("lock:{job}")).toBeUndefined();
  });

  it("is not made shorter by an earlier extension that arrives late", async () => {
    await lock.extend(9_000);
    // Behind the attempt to renew what is the new record already.
    cache.delayNext(1);
    await expect(lock.extend(1_000)).rejects.toThrow("no answer in time");
    await lock.extend(9_000);
    await cache.arrive();
    await clock.advance(1_500);
    expect(await tryAcquireLock(cache, "job", { clock })).toBeNull();
    expect(lock.isHeld()).toBe(true);
  });
});
