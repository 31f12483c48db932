import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { acquireLock, tryAcquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { follow, World } from "./world.ts";

describe("waiters of one process", () => {
  let world: World;

  beforeEach(() => {
    world = new World();
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
  });

  it("are served first come, first served", async () => {
    const cache = world.client();
    const order: number[] = [];
    const runs = Array.from({ length: 40 }, (_, i) =>
      withLock(
        cache,
        "job",
        async () => {
          order.push(i);
          await world.clock.advance(1);
        },
        world.options(),
      ),
    );
    await Promise.all(runs);
    expect(order).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });

  it("are served in that order when the first of them finds the lock taken, or the store at fault", async () => {
    for (const hindrance of ["occupied", "fault"] as const) {
      const cache = world.client();
      const name = `job ${hindrance}`;
      const elsewhere = hindrance === "occupied" && (await acquireLock(world.client(), name, world.options()));
      if (hindrance === "fault") cache.inject({ fault: "lost-request", operation: "getOrSet", times: 1 });
      const order: number[] = [];
      const runs = [1, 2, 3].map((i) => withLock(cache, name, () => void order.push(i), world.options()));
      await world.clock.advance(1);
      if (elsewhere) await elsewhere.release();
      await world.clock.advance(1_000);
      await Promise.all(runs);
      expect(order).toEqual([1, 2, 3]);
    }
  });

  it("are not overtaken by the next while the first of them tries", async () => {
    const cache = world.client();
    const past = await tryAcquireLock(cache, "job", world.options());
    await past?.release();
    cache.inject({ fault: "delay", delayMs: 10, operation: "getOrSet", skip: 1, times: 1 });
    const order: number[] = [];
    const again = tryAcquireLock(cache, "job", world.options());
    const runs = [1, 2].map((i) => withLock(cache, "job", () => void order.push(i), world.options()));
    await (await again)?.release();
    await world.clock.advance(100);
    await Promise.all(runs);
    expect(order).toEqual([1, 2]);
  });

  it("get tokens that rise", async () => {
    const cache = world.client();
    const tokens: number[] = [];
    await Promise.all(
      Array.from({ length: 40 }, () =>
        withLock(cache, "job", (lock) => void tokens.push(lock.fencingToken), world.options()),
      ),
    );
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  it("leave the talking to their head: one waits as cheaply as a hundred", async () => {
    const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 5_000 }));
    const cost = async (waiters: number): Promise<number> => {
      const cache = world.client();
      const waits = Array.from({ length: waiters }, () =>
        follow(acquireLock(cache, "job", world.options({ waitMs: 60_000 }))),
      );
      await world.clock.advance(60_000);
      expect(waits.every((wait) => wait.state() === "rejected")).toBe(true);
      return cache.calls.length;
    };
    // The polls are jittered: one may fall in or out of the time.
    expect(await cost(100)).toBeLessThanOrEqual((await cost(1)) + 2);
    await lock.release();
  });

  it("are silent while one of them has the lock", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options({ renew: false, ttlMs: 60_000 }));
    const before = cache.calls.length;
    const waits = Array.from({ length: 10 }, () =>
      follow(acquireLock(cache, "job", world.options({ waitMs: 30_000 }))),
    );
    await world.clock.advance(30_000);
    expect(waits.every((wait) => wait.state() === "rejected")).toBe(true);
    expect(cache.calls.length).toBe(before);
    await lock.release();
  });

  it("go on when the last of them was passed the lock and another one comes", async () => {
    const cache = world.client();
    const first = await acquireLock(cache, "job", world.options());
    const last = follow(acquireLock(cache, "job", world.options()));
    await world.clock.advance(1);
    await first.release();
    await world.clock.advance(0);
    expect(await last.value()?.release()).toBe(true);
    const next = follow(acquireLock(cache, "job", world.options()));
    await world.clock.advance(100);
    expect(next.state()).toBe("fulfilled");
    await next.value()?.release();
  });

  it("are served once, also when the lock is given back while an attempt of theirs is under way", async () => {
    for (const operation of ["getOrSet", "watch"] as const) {
      const [cache, other] = [world.client(), world.client()];
      const name = `job ${operation}`;
      const elsewhere = await acquireLock(other, name, world.options());
      cache.inject({ fault: "delay", delayMs: 10, operation, times: 1 });
      const { signal } = new AbortController();
      const waiting = follow(acquireLock(cache, name, world.options({ signal })));
      await world.clock.advance(1);
      await elsewhere.release();
      const past = await tryAcquireLock(cache, name, world.options());
      expect(await past?.release()).toBe(true);
      await world.clock.advance(20);
      expect(waiting.state()).toBe("fulfilled");
      expect(await waiting.value()?.release()).toBe(true);
      await world.clock.advance(100);
      expect(await world.store().get(`lock:{${name}}`)).toBeUndefined();
    }
  });

  it("pass the lock on with one command each", async () => {
    const cache = world.client();
    const first = await acquireLock(cache, "job", world.options());
    const waits = Array.from({ length: 8 }, () => acquireLock(cache, "job", world.options()));
    await world.clock.advance(0);
    const before = cache.calls.length;
    let lock = first;
    for (const wait of waits) {
      expect(await lock.release()).toBe(true);
      lock = await wait;
    }
    expect(cache.calls.length - before).toBe(8);
    await lock.release();
  });

  it("let other processes have their turn", async () => {
    const [busy, other] = [world.client(), world.client()];
    let waiting = true;
    let served = 0;
    const loop = async (): Promise<void> => {
      while (waiting) {
        await withLock(busy, "job", () => void served++, world.options());
        await world.clock.advance(0);
      }
    };
    const loops = [loop(), loop(), loop()];
    await world.clock.advance(10);
    const before = served;
    const lock = await acquireLock(other, "job", world.options());
    waiting = false;
    expect(served - before).toBeLessThan(20);
    await lock.release();
    await Promise.all(loops);
  });

  it("pass nothing on after a turn has lasted long", async () => {
    const [here, there] = [world.client(), world.client()];
    const lock = await acquireLock(here, "job", world.options());
    const next = follow(acquireLock(here, "job", world.options()));
    const elsewhere = follow(acquireLock(there, "job", world.options()));
    await world.clock.advance(100);
    await lock.release();
    await world.clock.advance(0);
    expect(elsewhere.state()).toBe("fulfilled");
    await elsewhere.value()?.release();
    await world.clock.advance(0);
    expect(next.state()).toBe("fulfilled");
    await next.value()?.release();
  });

  it("go on when a pass fails half-way", async () => {
    for (const fault of ["lost-reply", "lost-request"] as const) {
      const cache = world.client();
      const name = `job ${fault}`;
      const lock = await acquireLock(cache, name, world.options());
      const next = follow(acquireLock(cache, name, world.options()));
      await world.clock.advance(0);
      cache.inject({ fault, operation: "compareAndSet", times: 1 });
      expect(await lock.release()).toBe(true);
      await world.clock.advance(3_000);
      expect(next.state()).toBe("fulfilled");
      expect(await next.value()?.release()).toBe(true);
      await world.clock.advance(1_000);
      expect(await world.store().get(`lock:{${name}}`)).toBeUndefined();
    }
  });

  it("get the lock when its holder in this process loses it", async () => {
    const cache = world.client();
    await acquireLock(cache, "job", world.options({ ttlMs: 1_000, renew: false }));
    const next = follow(acquireLock(cache, "job", world.options()));
    await world.clock.advance(1_020);
    expect(next.state()).toBe("fulfilled");
    await next.value()?.release();
  });

  it("get the lock although one before them gave up while it was being passed to it", async () => {
    const cache = world.client();
    const lock = await acquireLock(cache, "job", world.options());
    const controller = new AbortController();
    const gone = follow(acquireLock(cache, "job", world.options({ signal: controller.signal })));
    const next = follow(acquireLock(cache, "job", world.options()));
    await world.clock.advance(0);
    const slow = cache.inject({ fault: "delay", delayMs: 10, operation: "compareAndSet", times: 1 });
    const released = lock.release();
    controller.abort();
    await world.clock.advance(20);
    expect(await released).toBe(true);
    expect(gone.state()).toBe("rejected");
    slow.release();
    await world.clock.advance(2_000);
    expect(next.state()).toBe("fulfilled");
    await next.value()?.release();
  });
});

describe("a lock that was taken past the line and is released while the head of the line asks for it", () => {
  it("is granted once, and does not stay held when the work is done", async () => {
    const world = new World();
    const cache = world.client();
    // The head's question is slow; a try past the line is answered before it.
    cache.inject({ fault: "delay", delayMs: 4, operation: "getOrSet", key: "lock:{job}", times: 1 });
    const patient = follow(withLock(cache, "job", () => "done", world.options({ waitMs: 1_000 })));
    await world.clock.advance(0);
    const lock = await acquireLock(cache, "job", world.options({ waitMs: 0 }));
    await world.clock.advance(2);
    expect(await lock.release()).toBe(true);
    await world.clock.advance(3_000);
    expect(patient.value()).toBe("done");
    expect(world.eventsOf("lost")).toEqual([]);
    expect(await world.store().get("lock:{job}")).toBeUndefined();
    expect(world.clock.timers).toBe(0);
  });
});
