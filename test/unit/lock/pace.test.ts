import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import type { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { follow, World } from "./world.ts";

describe("who waits for a lock", () => {
  let world: World;
  let cache: FaultyCache;

  beforeEach(() => {
    world = new World();
    cache = world.client();
  });

  afterEach(async () => {
    cache.heal();
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
  });

  it("and may not watch it tries to only every five seconds", async () => {
    const lock = await acquireLock(world.client(), "job", world.options());
    cache.inject({ fault: "error", operation: "watch" });
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 60_000 })));
    await world.clock.advance(4_900);
    expect(cache.count({ operation: "watch" })).toBe(1);
    await world.clock.advance(500);
    expect(cache.count({ operation: "watch" })).toBe(2);
    await lock.release();
    await world.clock.advance(200);
    await waiting.value()?.release();
  });

  it("and may not watch it does not look at a fixed interval, so that many do not look in step", async () => {
    const lock = await acquireLock(world.client(), "job", world.options());
    cache.inject({ fault: "error", operation: "watch" });
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 60_000 })));
    const intervals = new Set<number>();
    for (let looks = cache.count({ operation: "getOrSet" }), sinceMs = 0, ms = 0; ms < 3_000; ms++) {
      await world.clock.advance(1);
      if (cache.count({ operation: "getOrSet" }) === looks) continue;
      looks = cache.count({ operation: "getOrSet" });
      intervals.add(ms - sinceMs);
      sinceMs = ms;
    }
    expect(intervals.size).toBeGreaterThan(5);
    await lock.release();
    await world.clock.advance(200);
    await waiting.value()?.release();
  });

  it("asks a store that is down less and less often, but once a second or so", async () => {
    cache.inject({ fault: "error", operation: "getOrSet" });
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 100_000 })));
    await world.clock.advance(30_000);
    expect(cache.count({ operation: "getOrSet" })).toBeLessThan(40);
    expect(cache.count({ operation: "getOrSet" })).toBeGreaterThan(24);
    cache.heal();
    await world.clock.advance(1_300);
    await waiting.value()?.release();
    expect(waiting.state()).toBe("fulfilled");
  });

  it("and gives up takes back what an attempt has left, for as long as half a minute", async () => {
    cache.inject({ fault: "lost-reply", operation: "getOrSet" });
    const removing = cache.inject({ fault: "error", operation: "compareAndSet" });
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 10, ttlMs: 600_000 })));
    await world.clock.advance(20_000);
    expect(waiting.state()).toBe("rejected");
    expect(await world.store().get("lock:{job}")).toBeDefined();
    removing.stop();
    await world.clock.advance(2_000);
    expect(await world.store().get("lock:{job}")).toBeUndefined();
  });

  it("and gives up does not try to take it back for ever", async () => {
    cache.inject({ fault: "lost-reply", operation: "getOrSet" });
    const removing = cache.inject({ fault: "error", operation: "compareAndSet" });
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 10 })));
    await world.clock.advance(40_000);
    expect(waiting.state()).toBe("rejected");
    const { hits } = removing;
    await world.clock.advance(60_000);
    expect(removing.hits).toBe(hits);
  });
});
