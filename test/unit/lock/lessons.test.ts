/** What went wrong in published lock libraries, one test or more each. The numbers are those of docs/lessons.md. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockLostError, LockTimeoutError } from "../../../src/primitives/lock/errors.ts";
import { inspectLock } from "../../../src/primitives/lock/inspect-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { follow, World } from "./world.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("lessons about locks", () => {
  let world: World;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    world = new World();
    process.on("unhandledRejection", onUnhandled);
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it("1: the signal aborts before the lease ends, also when the store hangs and answers nothing", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 3_000 }));
    const takenAtMs = world.clock.monotonicMs();
    let abortedAtMs = Number.NaN;
    lock.signal.addEventListener("abort", () => {
      abortedAtMs = world.clock.monotonicMs();
    });
    cache.inject({ fault: "hang" });
    await world.clock.advance(10_000);
    expect(abortedAtMs - takenAtMs).toBeLessThan(3_000);
    expect(abortedAtMs - takenAtMs).toBeGreaterThan(2_900);
    expect(lock.signal.reason).toBeInstanceOf(LockLostError);
    expect(lock.isHeld()).toBe(false);
    cache.heal();
    expect(await lock.release()).toBe(false);
  });

  it("1: the signal aborts before the lease ends, while renewals fail", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 3_000 }));
    const { signal } = lock;
    cache.inject({ fault: "error", operation: "compareAndSet" });
    await world.clock.advance(2_900);
    expect(signal.aborted).toBe(false);
    await world.clock.advance(99);
    expect(signal.aborted).toBe(true);
    cache.heal();
    await lock.release();
  });

  it("2: renewal goes on after errors, and none of them is an unhandled rejection", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 3_000 }));
    for (let round = 0; round < 10; round++) {
      cache.inject({ fault: "error", operation: "compareAndSet", times: 3 });
      await world.clock.advance(2_500);
      expect(lock.isHeld()).toBe(true);
    }
    expect(world.eventsOf("store-error").length).toBeGreaterThanOrEqual(20);
    expect(await lock.release()).toBe(true);
  });

  it("3: a small ttl does not make the renewal loop spin", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 100 }));
    const before = cache.calls.length;
    await world.clock.advance(10_000);
    expect(lock.isHeld()).toBe(true);
    // 10 s at a renewal every 30 to 33 ms.
    expect(cache.calls.length - before).toBeLessThan(350);
    await lock.release();
  });

  it("3: nor do renewals that fail at once", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 100 }));
    cache.inject({ fault: "error" });
    const before = cache.calls.length;
    await world.clock.advance(100);
    expect(cache.calls.length - before).toBeLessThan(10);
    cache.heal();
    await lock.release();
  });

  it("4: a lost reply does not make the client wait for its own orphan", async () => {
    const cache = world.client();
    cache.inject({ fault: "lost-reply", operation: "getOrSet", times: 1 });
    const waiting = follow(acquireLock(cache, "job", world.options({ ttlMs: 30_000 })));
    await world.clock.advance(500);
    const lock = waiting.value();
    expect(lock?.isHeld()).toBe(true);
    await lock?.release();
  });

  it("4: an orphan of a client that gave up is taken back", async () => {
    const cache = world.client();
    cache.inject({ fault: "lost-reply", operation: "getOrSet", times: 1 });
    await expect(tryAcquireLock(cache, "job", world.options())).rejects.toThrow();
    await world.clock.advance(100);
    expect(await inspectLock(world.store(), "job")).toBeNull();
  });

  it("5: an error of the release does not replace the work's error", async () => {
    const cache = world.client();
    const mistake = new Error("the work's own");
    const run = follow(
      withLock(
        cache,
        "job",
        () => {
          cache.inject({ fault: "error" });
          throw mistake;
        },
        world.options({ ttlMs: 1_000 }),
      ),
    );
    await world.clock.advance(2_000);
    expect(run.error()).toBe(mistake);
  });

  it("5: a release that does not reach the store neither fails nor delays a finished job", async () => {
    const cache = world.client();
    const run = follow(
      withLock(
        cache,
        "job",
        () => {
          cache.inject({ fault: "hang" });
          return "done";
        },
        world.options({ ttlMs: 30_000 }),
      ),
    );
    await world.clock.advance(500);
    expect(run.value()).toBe("done");
    await world.clock.advance(40_000);
    cache.heal();
  });

  it("5: a release that never reached the store is reported", async () => {
    const cache = world.client();
    const run = follow(
      withLock(
        cache,
        "job",
        () => {
          cache.inject({ fault: "error" });
          return "done";
        },
        world.options({ ttlMs: 1_000 }),
      ),
    );
    await world.clock.advance(5_000);
    expect(run.value()).toBe("done");
    expect(world.eventsOf("release-failed")).toHaveLength(1);
  });

  it("6: trying once does not wait; a wait of 0 tries once; a negative or missing number is an error", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options());
    const started = world.clock.monotonicMs();
    expect(await tryAcquireLock(world.client(), "job", world.options())).toBeNull();
    await expect(acquireLock(world.client(), "job", world.options({ waitMs: 0 }))).rejects.toThrow(LockTimeoutError);
    expect(world.clock.monotonicMs()).toBe(started);
    for (const waitMs of [-1, Number.NaN, "5" as unknown as number]) {
      await expect(acquireLock(cache, "job", world.options({ waitMs }))).rejects.toThrow(/waitMs/);
      await expect(acquireLock(cache, "job", world.options({ waitMs }))).rejects.toThrow(ConfigError);
    }
    await lock.release();
  });

  it("7: a release frees nobody else's lock", async () => {
    const [first, second] = [world.client(), world.client()];
    const stalled = await acquireLock(first, "job", world.options({ ttlMs: 1_000 }));
    first.inject({ fault: "error", operation: "compareAndSet", times: 1_000 });
    await world.clock.advance(1_000);
    const lock = await acquireLock(second, "job", world.options());
    first.heal();
    expect(await stalled.release()).toBe(false);
    expect(lock.isHeld()).toBe(true);
    expect((await inspectLock(world.store(), "job"))?.fencingToken).toBe(lock.fencingToken);
    expect(await lock.release()).toBe(true);
  });

  it("8: a paused, expired claimant gets no token above that of the next holder", async () => {
    const [paused, next] = [world.client(), world.client()];
    // The claimant takes the lease; the command that issues its token hangs until the lease has passed on.
    const token = paused.inject({ fault: "hang", key: (key) => key.startsWith("fence:"), times: 1 });
    const claim = follow(acquireLock(paused, "job", world.options({ ttlMs: 1_000, waitMs: 5_000 })));
    await world.clock.advance(1_100);
    const holder = await acquireLock(next, "job", world.options({ ttlMs: 60_000 }));
    token.release();
    await world.clock.advance(3_000);
    expect(claim.state()).toBe("pending");
    expect(holder.isHeld()).toBe(true);
    await holder.release();
    await world.clock.advance(1_000);
    expect(claim.value()?.fencingToken).toBeGreaterThan(holder.fencingToken);
    await claim.value()?.release();
  });

  it("9: the fence expires a week after the last grant, and no sooner", async () => {
    const cache = world.client();
    await withLock(cache, "job", () => {}, world.options());
    const week = 7 * 24 * 60 * 60 * 1_000;
    await world.clock.advance(week - 1_000);
    expect(await world.store().get("fence:{job}")).toBeDefined();
    await world.clock.advance(1_001);
    expect(await world.store().get("fence:{job}")).toBeUndefined();
  });

  it("9: when the fence was lost, new tokens are still above old ones", async () => {
    const first = await withLock(world.client(), "job", (lock) => lock.fencingToken, world.options());
    await world.clock.advance(1);
    await world.store().delete("fence:{job}");
    const second = await withLock(world.client(), "job", (lock) => lock.fencingToken, world.options());
    expect(second).toBeGreaterThan(first);
  });

  it("10: a waiter is woken by the release, not by a poll", async () => {
    const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 30_000 }));
    const waiting = follow(acquireLock(world.client(), "job", world.options()));
    await world.clock.advance(777);
    await lock.release();
    await world.clock.advance(0);
    expect(waiting.state()).toBe("fulfilled");
    await waiting.value()?.release();
  });

  it("10: a waiter is woken by the expiry, on time, and asks the store little while it waits", async () => {
    const dead = world.client();
    await acquireLock(dead, "job", world.options({ ttlMs: 20_000, renew: false }));
    const cache = world.client();
    const waiting = follow(acquireLock(cache, "job", world.options({ waitMs: 30_000 })));
    await world.clock.advance(19_990);
    expect(cache.calls.length).toBeLessThan(12);
    await world.clock.advance(11);
    expect(waiting.state()).toBe("fulfilled");
    await waiting.value()?.release();
  });

  it("11: a ttl that is too short, zero, negative, infinite or no number is an error", async () => {
    const cache = world.client();
    for (const ttlMs of [0, 0.4, 99, -1, Number.NaN, Number.POSITIVE_INFINITY, "1000" as unknown as number]) {
      await expect(acquireLock(cache, "job", world.options({ ttlMs }))).rejects.toThrow(ConfigError);
    }
    expect(cache.calls).toHaveLength(0);
  });

  it("11: an empty value under the key is somebody's, not nobody's", async () => {
    await world.store().set("lock:{job}", new Uint8Array(), 60_000);
    expect(await tryAcquireLock(world.client(), "job", world.options())).toBeNull();
    expect(await inspectLock(world.store(), "job")).toMatchObject({ fencingToken: 0 });
  });

  it("12: the release reaches the store although the caller's signal is aborted", async () => {
    const cache = world.client();
    const controller = new AbortController();
    const lock = await acquireLock(cache, "job", world.options({ signal: controller.signal }));
    controller.abort();
    expect(lock.isHeld()).toBe(true);
    expect(await lock.release()).toBe(true);
    expect(await inspectLock(world.store(), "job")).toBeNull();
  });

  it("13: waiters that gave up leave no key, timer, watch or listener", async () => {
    const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 60_000, renew: false }));
    const cache = world.client();
    const controller = new AbortController();
    const waits = Array.from({ length: 100 }, (_, i) =>
      follow(acquireLock(cache, "job", world.options({ waitMs: 1_000 + i, signal: controller.signal }))),
    );
    await world.clock.advance(1_050);
    controller.abort(new Error("enough"));
    await world.clock.advance(0);
    expect(waits.filter((wait) => wait.error() instanceof LockTimeoutError)).toHaveLength(51);
    expect(waits.every((wait) => wait.state() === "rejected")).toBe(true);
    expect(cache.stats().watchedKeys).toBe(0);
    await lock.release();
    expect(await inspectLock(world.store(), "job")).toBeNull();
    expect(world.clock.timers).toBe(0);
  });

  it("14: a client whose wall clock is wrong neither loses nor overstays its lock", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ ttlMs: 3_000 }));
    world.clock.jumpWall(-3_600_000);
    await world.clock.advance(10_000);
    expect(lock.isHeld()).toBe(true);
    expect(await tryAcquireLock(world.client(), "job", world.options())).toBeNull();
    expect(await lock.release()).toBe(true);
  });

  it("14: tokens rise although the clock of the next holder is an hour behind", async () => {
    const first = await withLock(world.client(), "job", (lock) => lock.fencingToken, world.options());
    world.clock.jumpWall(-3_600_000);
    const second = await withLock(world.client(), "job", (lock) => lock.fencingToken, world.options());
    expect(second).toBeGreaterThan(first);
  });

  it("the record under the key is not taken for a lock of ours when it is something else", async () => {
    await world.store().set("lock:{job}", bytes("not a record"), 60_000);
    await expect(acquireLock(world.client(), "job", world.options({ waitMs: 0 }))).rejects.toThrow(LockTimeoutError);
    expect(await world.store().get("lock:{job}")).toEqual(bytes("not a record"));
  });
});
