import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { ClosedError, ConfigError } from "../../../src/cache/errors.ts";
import { connect } from "../../../src/connect.ts";
import type { Coordinator } from "../../../src/coordinator.ts";
import { FaultyCache } from "../../../src/testing/faulty-cache.ts";
import { ManualClock } from "../../../src/testing/manual-clock.ts";
import { uncaughtDuring } from "../../support/uncaught.ts";
import { follow } from "../lock/world.ts";

describe("a coordinator", () => {
  let clock: ManualClock;
  let hold: Coordinator;
  const store = "memory:coordinator tests";

  beforeEach(async () => {
    clock = new ManualClock();
    hold = await connect(store, { clock });
  });

  afterEach(async () => {
    await hold.close();
    await clock.advance(60_000);
    expect(clock.timers, "timers left").toBe(0);
  });

  it("connects to a private store, a shared one, a cache, and nothing else", async () => {
    await using one = await connect("memory:");
    await using other = await connect("memory:");
    await one.cache.set("key", new Uint8Array([1]), 1_000);
    expect(await other.cache.get("key")).toBeUndefined();

    await using sharing = await connect(store, { clock });
    await hold.cache.set("key", new Uint8Array([1]), 1_000);
    expect(await sharing.cache.get("key")).toEqual(new Uint8Array([1]));

    await expect(connect("http://localhost")).rejects.toThrow(ConfigError);
    await expect(connect(undefined as unknown as string)).rejects.toThrow(ConfigError);
    await expect(connect(hold.cache, { keyPrefix: "a:" })).rejects.toThrow(ConfigError);
  });

  it.each([
    ["holder", "", 5, null],
    ["observer", "log", {}, null],
    ["telemetry", () => {}, {}, null],
  ])("checks its option %s", async (option, ...values) => {
    for (const value of values) {
      const connecting = connect(store, { clock, [option]: value });
      await expect(connecting).rejects.toThrow(ConfigError);
      await expect(connecting).rejects.toThrow(new RegExp(`^${option}`));
    }
  });

  it("keeps prefixes apart", async () => {
    await using a = await connect(store, { clock, keyPrefix: "a:" });
    await using b = await connect(store, { clock, keyPrefix: "b:" });
    await using inA = await a.acquireLock("job");
    await using inB = await b.acquireLock("job");
    expect(inA.isHeld() && inB.isHeld()).toBe(true);
  });

  it("shows its own name as holder", async () => {
    await using named = await connect(store, { clock, holder: "worker 7" });
    await using _lock = await named.acquireLock("job");
    expect((await hold.inspectLock("job"))?.holder).toBe("worker 7");
    expect(hold.holder).toMatch(/^.+:\d+:[0-9a-f]{12}$/);
  });

  it("tells of a lost lock, and nobody has to listen", async () => {
    const lost: unknown[] = [];
    hold.on("lockLost", (event) => lost.push(event));
    const lock = await hold.acquireLock("job", { ttlMs: 1_000, renew: false });
    await clock.advance(1_000);
    expect(lost).toEqual([{ key: "job", fencingToken: lock.fencingToken, reason: "expired" }]);
    hold.removeAllListeners();
    await hold.acquireLock("job", { ttlMs: 1_000, renew: false });
    await clock.advance(1_000);
  });

  describe("is not disturbed by", () => {
    const fault = new Error("a fault of the listener");
    const failing = (): never => {
      throw fault;
    };

    it("a listener that throws, whose error is uncaught as in a timer", async () => {
      hold.on("lockLost", failing);
      const uncaught = await uncaughtDuring(async () => {
        const lock = await hold.acquireLock("job", { ttlMs: 1_000, renew: false });
        await clock.advance(1_000);
        expect(lock.isHeld()).toBe(false);
        expect(lock.signal.reason).toMatchObject({ code: "ERR_LOCK_LOST" });
      });
      expect(uncaught).toEqual([fault]);
    });

    it("an observer that throws, and neither are its telemetry and its listeners", async () => {
      const told: string[] = [];
      const telemetry = {
        instrument: (cache: Cache): Cache => cache,
        observer: ({ type }: { readonly type: string }): void => void told.push(type),
      };
      await using observed = await connect(store, { clock, observer: failing, telemetry });
      observed.on("lockLost", () => void told.push("lockLost"));
      const uncaught = await uncaughtDuring(async () => {
        await observed.acquireLock("job", { ttlMs: 1_000, renew: false });
        await clock.advance(1_000);
      });
      expect(uncaught).toEqual([fault, fault]);
      expect(told).toEqual(["acquired", "lost", "lockLost"]);
    });
  });

  describe("when it closes", () => {
    it("gives back the locks that are held, and tells their holders", async () => {
      const lock = await hold.acquireLock("job");
      await hold.close();
      expect(lock.signal.aborted).toBe(true);
      expect(lock.signal.reason).toBeInstanceOf(ClosedError);
      await using other = await connect(store, { clock });
      expect(await other.inspectLock("job")).toBeNull();
    });

    it("lets work under a lock finish, and counts that as success", async () => {
      let finish: (value: string) => void = () => {};
      let signal: AbortSignal | undefined;
      const run = follow(
        hold.withLock("job", (lock) => {
          signal = lock.signal;
          return new Promise<string>((resolve) => (finish = resolve));
        }),
      );
      await clock.advance(0);
      const closing = follow(hold.close());
      await clock.advance(1_000);
      expect(signal?.aborted).toBe(true);
      expect(closing.state()).toBe("pending");
      await using other = await connect(store, { clock });
      expect(await other.inspectLock("job")).not.toBeNull();
      finish("done");
      await clock.advance(0);
      expect(run.value()).toBe("done");
      expect(closing.state()).toBe("fulfilled");
      expect(await other.inspectLock("job")).toBeNull();
    });

    it("does not wait for work beyond the end of its lease, which nothing renews any more", async () => {
      const run = follow(hold.withLock("job", () => new Promise(() => {}), { ttlMs: 5_000 }));
      await clock.advance(0);
      const closing = follow(hold.close());
      await clock.advance(4_900);
      expect(closing.state()).toBe("pending");
      await clock.advance(100);
      expect(closing.state()).toBe("fulfilled");
      expect(run.state()).toBe("pending");
    });

    it("ends the waits with ClosedError, and refuses everything afterwards", async () => {
      await using other = await connect(store, { clock });
      await using _lock = await other.acquireLock("job");
      const waits = [follow(hold.acquireLock("job")), follow(hold.withLock("job", () => {}))];
      await clock.advance(100);
      await hold.close();
      await clock.advance(0);
      expect(waits.map((wait) => wait.error())).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
      await expect(hold.acquireLock("job")).rejects.toThrow(ClosedError);
      await expect(hold.tryAcquireLock("job")).rejects.toThrow(ClosedError);
      await expect(hold.withLock("job", () => {})).rejects.toThrow(ClosedError);
      await expect(hold.inspectLock("job")).rejects.toThrow(ClosedError);
      await expect(hold.cache.get("job")).rejects.toThrow(ClosedError);
    });

    it("gives back a lock that is granted while it closes", async () => {
      await using other = await connect(store, { clock });
      const cache = new FaultyCache(other.cache, { clock });
      await using slow = await connect(cache, { clock });
      cache.inject({ fault: "delay", delayMs: 500, operation: "getOrSet" });
      const tries = [follow(slow.tryAcquireLock("one")), follow(slow.acquireLock("two"))];
      await slow.close();
      await clock.advance(2_000);
      expect(tries.map((one) => one.error())).toEqual([expect.any(ClosedError), expect.any(ClosedError)]);
      expect(await other.inspectLock("one")).toBeNull();
      expect(await other.inspectLock("two")).toBeNull();
    });

    it("closes what connect opened even if something could not be ended, and tells of that", async () => {
      const fault = new Error("cannot be given back");
      const failing = await connect(store, { clock });
      const lock = await failing.acquireLock("job");
      lock.release = () => Promise.reject(fault);
      await expect(failing.close()).rejects.toBe(fault);
      await expect(failing.cache.get("key")).rejects.toThrow(ClosedError);
      await clock.advance(60_000);
    });

    it("closes what connect opened and nothing else, once", async () => {
      const second = await connect(hold.cache, { clock });
      await Promise.all([second.close(), second.close()]);
      await expect(hold.cache.get("key")).resolves.toBeUndefined();
    });
  });
});
