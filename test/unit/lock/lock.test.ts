import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockLostError, LockReentryError, LockTimeoutError } from "../../../src/primitives/lock/errors.ts";
import { inspectLock } from "../../../src/primitives/lock/inspect-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { uncaughtDuring } from "../../support/uncaught.ts";
import { follow, World } from "./world.ts";

describe("a lock", () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
  });

  describe("while it is held", () => {
    it("is shown by inspectLock, with what the holder wants to be seen", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ holder: "me", metadata: { run: 7 } }));
      expect(await inspectLock(world.client(), "job")).toEqual({
        holder: "me",
        fencingToken: lock.fencingToken,
        acquiredAt: new Date(world.clock.wallMs()),
        ttlMs: 30_000,
        metadata: { run: 7 },
      });
      await lock.release();
      expect(await inspectLock(world.client(), "job")).toBeNull();
    });

    it("is renewed, for as long as it takes", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000 }));
      await world.clock.advance(60_000);
      expect(lock.isHeld()).toBe(true);
      expect(lock.remainingMs).toBeGreaterThan(500);
      expect(await lock.release()).toBe(true);
    });

    it("is not renewed with renew: false, and is lost when its time is over", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, renew: false }));
      await world.clock.advance(980);
      expect(lock.isHeld()).toBe(true);
      await world.clock.advance(20);
      expect(lock.isHeld()).toBe(false);
      expect(lock.remainingMs).toBe(0);
      expect(() => lock.assertHeld()).toThrow(LockLostError);
      expect(world.eventsOf("lost")).toMatchObject([{ name: "job", reason: "expired" }]);
    });

    it("is lost after maxHoldMs, and its key is left to those who waited", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, maxHoldMs: 5_000 }));
      const { signal } = lock;
      await world.clock.advance(4_990);
      expect(lock.isHeld()).toBe(true);
      await world.clock.advance(10);
      expect(signal.aborted).toBe(true);
      expect(world.eventsOf("lost")).toMatchObject([{ reason: "max-hold" }]);
      await world.clock.advance(1_000);
      expect(await tryAcquireLock(world.client(), "job", world.options()).then((next) => next?.release())).toBe(true);
    });

    it("has a token, unless it was taken without", async () => {
      const cache = world.client();
      const lock = await acquireLock(cache, "job", world.options({ fencing: false }));
      expect(() => lock.fencingToken).toThrow(ConfigError);
      expect(cache.calls.some(({ key }) => key?.startsWith("fence:"))).toBe(false);
      await lock.release();
    });

    it("refuses what is no option, naming it", async () => {
      const cache = world.client();
      await expect(acquireLock(cache, "", world.options())).rejects.toThrow(ConfigError);
      await expect(acquireLock(cache, "job", world.options({ maxHoldMs: 0 }))).rejects.toThrow(/maxHoldMs/);
      await expect(acquireLock(cache, "job", world.options({ ttlMs: 1_000, renewEveryMs: 900 }))).rejects.toThrow(
        /renewEveryMs 900 .* ttlMs 1000/,
      );
      expect(cache.calls).toHaveLength(0);
    });
  });

  describe("extend", () => {
    it("makes the lock last as long as before, from now", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, renew: false }));
      await world.clock.advance(900);
      await lock.extend();
      expect(lock.remainingMs).toBeCloseTo(982, 0);
      await world.clock.advance(900);
      expect(lock.isHeld()).toBe(true);
      await lock.release();
    });

    it("makes it longer, here and in the store", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, renew: false }));
      await lock.extend(10_000);
      await world.clock.advance(9_000);
      expect(lock.isHeld()).toBe(true);
      expect(await tryAcquireLock(world.client(), "job", world.options())).toBeNull();
      expect((await inspectLock(world.client(), "job"))?.ttlMs).toBe(10_000);
      expect(await lock.release()).toBe(true);
    });

    it("makes it shorter, and never believes in it for longer than the store may", async () => {
      const cache = world.client();
      const lock = await acquireLock(cache, "job", world.options({ ttlMs: 10_000, renew: false }));
      cache.inject({ fault: "lost-reply", operation: "compareAndSet", times: 1 });
      const extending = follow(lock.extend(1_000));
      await world.clock.advance(0);
      expect(extending.state()).toBe("rejected");
      expect(lock.remainingMs).toBeLessThan(1_000);
      await world.clock.advance(1_000);
      expect(lock.isHeld()).toBe(false);
      await lock.release();
    });

    it("goes on under the old record when the request was lost", async () => {
      const cache = world.client();
      const lock = await acquireLock(cache, "job", world.options({ ttlMs: 3_000 }));
      cache.inject({ fault: "lost-request", operation: "compareAndSet", times: 1 });
      await lock.extend(6_000).catch(() => {});
      await world.clock.advance(30_000);
      expect(lock.isHeld()).toBe(true);
      expect((await inspectLock(world.client(), "job"))?.ttlMs).toBe(6_000);
      expect(await lock.release()).toBe(true);
    });

    it("to another time and back is safe from a late copy of the first", async () => {
      const cache = world.client({ ordered: false });
      const lock = await acquireLock(cache, "job", world.options({ ttlMs: 5_000 }));
      const late = cache.inject({ fault: "hang", operation: "compareAndSet", times: 1 });
      const shorter = follow(lock.extend(1_000));
      await world.clock.advance(10);
      const longer = follow(lock.extend(5_000));
      await world.clock.advance(990);
      late.release();
      await world.clock.advance(10);
      expect(shorter.state()).toBe("fulfilled");
      expect(longer.state()).toBe("fulfilled");
      for (let step = 0; step < 60; step++) {
        await world.clock.advance(100);
        const other = await tryAcquireLock(world.client(), "job", world.options());
        expect(other !== null && lock.isHeld(), "two holders").toBe(false);
        await other?.release();
      }
      await lock.release();
    });

    it("does not stand in the way of a release, whose outcome it leaves clear", async () => {
      for (const fault of ["lost-reply", "lost-request", "delay"] as const) {
        const cache = world.client();
        const lock = await acquireLock(cache, "job", world.options({ ttlMs: 5_000 }));
        cache.inject({
          operation: "compareAndSet",
          times: 1,
          ...(fault === "delay" ? { fault, delayMs: 50 } : { fault }),
        });
        const extending = follow(lock.extend(10_000));
        const released = follow(lock.release());
        await world.clock.advance(1_000);
        expect(extending.state()).not.toBe("pending");
        expect(released.value()).toBe(true);
        expect(await inspectLock(world.store(), "job")).toBeNull();
      }
    });

    it("throws when the lock was lost, and brings nothing back", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, renew: false }));
      await world.clock.advance(1_000);
      await expect(lock.extend(10_000)).rejects.toThrow(LockLostError);
      expect(await inspectLock(world.client(), "job")).toBeNull();
    });
  });

  it("is neither left behind nor kept by an observer that throws, whose error is uncaught as in a timer", async () => {
    const fault = new Error("a fault of the observer");
    const observer = (): never => {
      throw fault;
    };
    const uncaught = await uncaughtDuring(async () => {
      const given = await acquireLock(world.client(), "job", world.options({ observer }));
      expect(await given.release()).toBe(true);
      const lost = await acquireLock(world.client(), "job", world.options({ observer, ttlMs: 1_000, renew: false }));
      await world.clock.advance(1_000);
      expect(lost.isHeld()).toBe(false);
      expect(lost.signal.aborted).toBe(true);
    });
    // Of acquired, released, acquired and lost.
    expect(uncaught).toEqual([fault, fault, fault, fault]);
  });

  describe("is lost", () => {
    it("when its record was deleted by hand, at the next renewal", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 3_000 }));
      const { signal } = lock;
      await world.store().delete("lock:{job}");
      await world.clock.advance(1_000);
      expect(signal.aborted).toBe(true);
      expect(world.eventsOf("lost")).toMatchObject([{ reason: "taken" }]);
      expect(await lock.release()).toBe(false);
    });

    it("when its record was overwritten by hand, which its release leaves alone", async () => {
      const lock = await acquireLock(world.client(), "job", world.options());
      await world.store().set("lock:{job}", new Uint8Array([1]), 60_000);
      expect(await lock.release()).toBe(false);
      expect(await world.store().get("lock:{job}")).toEqual(new Uint8Array([1]));
    });

    it("when the machine was suspended for longer than the lease: at once for isHeld, within a second for the signal", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 30_000 }));
      const { signal } = lock;
      await world.clock.advance(10);
      world.clock.suspend(60_000);
      expect(lock.isHeld()).toBe(false);
      await world.clock.advance(1_000);
      expect(signal.aborted).toBe(true);
      expect(await lock.release()).toBe(false);
    });

    it("when the event loop was blocked past the lease: at once for isHeld, though no timer has run", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000 }));
      world.clock.block(1_500);
      expect(lock.isHeld()).toBe(false);
      await world.clock.advance(0);
      expect(lock.signal.aborted).toBe(true);
      await lock.release();
    });

    it("not when the event loop was blocked for most of the lease, but that is told once", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000 }));
      for (let round = 0; round < 3; round++) {
        world.clock.block(960);
        await world.clock.advance(0);
        expect(lock.isHeld()).toBe(true);
      }
      expect(world.eventsOf("stalled")).toHaveLength(1);
      await lock.release();
    });

    it("for good: when the wall clock was set forward and back again, too", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000 }));
      const { signal } = lock;
      world.clock.jumpWall(5_000);
      expect(lock.isHeld()).toBe(false);
      expect(signal.aborted).toBe(true);
      world.clock.jumpWall(-5_000);
      expect(lock.isHeld()).toBe(false);
      await lock.release();
    });

    it("for good: a renewal that is answered too late does not bring it back", async () => {
      const cache = world.client();
      const lock = await acquireLock(cache, "job", world.options({ ttlMs: 1_000 }));
      const hanging = cache.inject({ fault: "hang", operation: "compareAndSet" });
      await world.clock.advance(990);
      expect(lock.isHeld()).toBe(false);
      hanging.release();
      await world.clock.advance(5);
      expect(lock.isHeld()).toBe(false);
      await lock.release();
    });
  });

  describe("withLock", () => {
    it("gives the work's value and gives the lock back", async () => {
      expect(await withLock(world.client(), "job", async () => 42, world.options())).toBe(42);
      expect(await inspectLock(world.client(), "job")).toBeNull();
    });

    it("throws LockLostError with the value when the lock was lost meanwhile", async () => {
      const run = withLock(
        world.client(),
        "job",
        async () => {
          await world.clock.advance(1_000);
          return 42;
        },
        world.options({ ttlMs: 1_000, renew: false }),
      );
      await expect(run).rejects.toMatchObject({ code: "ERR_LOCK_LOST", key: "job", result: 42 });
      await expect(run).rejects.toBeInstanceOf(LockLostError);
    });

    it("throws LockLostError when only the release finds out", async () => {
      const run = withLock(world.client(), "job", () => world.store().delete("lock:{job}"), world.options());
      await expect(run).rejects.toMatchObject({ code: "ERR_LOCK_LOST", result: true });
    });

    it("does not run the work when the lock is not to be had", async () => {
      const lock = await acquireLock(world.client(), "job", world.options({ holder: "the other" }));
      let ran = false;
      const run = follow(
        withLock(
          world.client(),
          "job",
          () => {
            ran = true;
          },
          world.options({ waitMs: 500 }),
        ),
      );
      await world.clock.advance(500);
      expect(run.error()).toBeInstanceOf(LockTimeoutError);
      expect(run.error()).toMatchObject({ key: "job", holder: "the other", fencingToken: lock.fencingToken });
      await expect(acquireLock(world.client(), "job", world.options({ waitMs: 0 }))).rejects.toMatchObject({
        code: "ERR_LOCK_TIMEOUT",
        holder: "the other",
      });
      expect(ran).toBe(false);
      await lock.release();
    });

    it("names the store's fault when that was what stood in the way", async () => {
      const cache = world.client();
      cache.inject({ fault: "error" });
      const run = follow(withLock(cache, "job", () => {}, world.options({ waitMs: 500 })));
      await world.clock.advance(500);
      expect(run.error()).toMatchObject({ code: "ERR_LOCK_TIMEOUT", cause: { code: "ERR_OPERATION" } });
      cache.heal();
    });

    it("rides out a fault of the store within its wait", async () => {
      const cache = world.client();
      cache.inject({ fault: "error", times: 5 });
      const run = follow(withLock(cache, "job", () => 1, world.options({ waitMs: 5_000 })));
      await world.clock.advance(4_000);
      expect(run.value()).toBe(1);
    });

    it("rejects with the signal's reason, before the wait and during it", async () => {
      const reason = new Error("not any more");
      await expect(
        withLock(world.client(), "job", () => {}, world.options({ signal: AbortSignal.abort(reason) })),
      ).rejects.toBe(reason);
      const lock = await acquireLock(world.client(), "job", world.options());
      const controller = new AbortController();
      const run = follow(withLock(world.client(), "job", () => {}, world.options({ signal: controller.signal })));
      await world.clock.advance(100);
      controller.abort(reason);
      await world.clock.advance(0);
      expect(run.error()).toBe(reason);
      await lock.release();
    });
  });

  describe("nested in itself", () => {
    it("fails at once instead of waiting for itself", async () => {
      const cache = world.client();
      const nested = withLock(cache, "job", () => withLock(cache, "job", () => {}, world.options()), world.options());
      await expect(nested).rejects.toThrow(LockReentryError);
      const handle = withLock(cache, "job", () => acquireLock(cache, "job", world.options()), world.options());
      await expect(handle).rejects.toThrow(LockReentryError);
    });

    it("shares the outer lock on demand, and leaves it to the outer work", async () => {
      const cache = world.client();
      const tokens = await withLock(
        cache,
        "job",
        async (outer) => {
          const inner = await withLock(cache, "job", (lock) => lock.fencingToken, world.options({ nested: "share" }));
          return [outer.isHeld(), outer.fencingToken, inner];
        },
        world.options(),
      );
      expect(tokens[0]).toBe(true);
      expect(tokens[1]).toBe(tokens[2]);
    });

    it("is allowed under another name, and for what runs after the outer lock", async () => {
      const cache = world.client();
      let later: (() => Promise<number>) | undefined;
      await withLock(
        cache,
        "a",
        async () => {
          expect(await withLock(cache, "b", () => 1, world.options())).toBe(1);
          later = () => withLock(cache, "a", () => 2, world.options());
        },
        world.options(),
      );
      expect(await later?.()).toBe(2);
    });
  });

  describe("of several keys", () => {
    it("is taken in one order whatever the callers' order, so they cannot deadlock", async () => {
      const [first, second] = [world.client(), world.client()];
      const held: string[] = [];
      const run = (cache: typeof first, keys: string[]) =>
        withLock(
          cache,
          keys,
          async (locks) => {
            held.push(locks.locks.map(({ key }) => key).join());
            await world.clock.advance(10);
          },
          world.options(),
        );
      await Promise.all([run(first, ["b", "a"]), run(second, ["a", "b", "a"])]);
      expect(held).toEqual(["a,b", "a,b"]);
    });

    it("is all or nothing", async () => {
      const other = await acquireLock(world.client(), "b", world.options());
      const run = follow(withLock(world.client(), ["a", "b", "c"], () => {}, world.options({ waitMs: 300 })));
      await world.clock.advance(300);
      expect(run.error()).toMatchObject({ code: "ERR_LOCK_TIMEOUT", key: "b" });
      expect(await inspectLock(world.store(), "a")).toBeNull();
      expect(await inspectLock(world.store(), "c")).toBeNull();
      await other.release();
    });

    it("is held as long as all are, and has a token for each", async () => {
      await withLock(
        world.client(),
        ["a", "b"],
        async (locks) => {
          expect(Object.keys(locks.fencingTokens)).toEqual(["a", "b"]);
          expect(locks.isHeld()).toBe(true);
          const { signal } = locks;
          await world.store().delete("lock:{b}");
          await world.clock.advance(1_000);
          expect(signal.aborted).toBe(true);
          expect(locks.isHeld()).toBe(false);
          expect(() => locks.assertHeld()).toThrow(/"b"/);
        },
        world.options({ ttlMs: 1_000 }),
      ).catch((error: unknown) => expect(error).toMatchObject({ code: "ERR_LOCK_LOST", key: "b" }));
      expect(await inspectLock(world.store(), "a")).toBeNull();
    });

    it("needs at least one key", async () => {
      await expect(withLock(world.client(), [], () => {}, world.options())).rejects.toThrow(ConfigError);
    });
  });
});
