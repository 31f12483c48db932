import { beforeEach, describe, expect, it } from "vitest";
import { election } from "../../../src/primitives/leader/election.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { LockReentryError } from "../../../src/primitives/lock/errors.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { follow, World } from "./world.ts";

const MINUTE = 60_000;

let world: World;
beforeEach(() => {
  world = new World();
});

async function messageAfter(ms: number, waiting: Promise<unknown>): Promise<string> {
  const followed = follow(waiting);
  await world.clock.advance(ms);
  expect(followed.state()).toBe("rejected");
  return String(followed.error());
}

describe("whoever waited in vain is told why", () => {
  it("by whom it is held", async () => {
    const lock = await acquireLock(world.client(), "job", world.options({ holder: "worker 7" }));
    const waiting = acquireLock(world.client(), "job", world.options({ waitMs: 300 }));
    expect(await messageAfter(300, waiting)).toContain("within 300 ms: it is held by worker 7");
    await lock.release();
  });

  it("that the record cannot be read", async () => {
    await world.store().set("lock:{job}", Buffer.from("?"), MINUTE);
    const waiting = acquireLock(world.client(), "job", world.options({ waitMs: 300 }));
    expect(await messageAfter(300, waiting)).toContain("it is held by somebody whose record cannot be read");
  });

  it("that the store has not answered: no holder is made up", async () => {
    const cache = world.client();
    const hanging = cache.inject({ fault: "hang" });
    const options = { clock: world.clock };
    expect(await messageAfter(300, acquireLock(cache, "job", world.options({ waitMs: 300 })))).toContain(
      "within 300 ms: the store has not answered",
    );
    expect(await messageAfter(300, election(cache, "reports", options).campaign({ waitMs: 300 }))).toContain(
      "within 300 ms: the store has not answered",
    );
    hanging.release();
    await world.clock.advance(MINUTE);
  });

  it("how long it was to wait for all of several keys, not what was left for the last", async () => {
    const lock = await acquireLock(world.client(), "b", world.options());
    const slow = world.client();
    slow.inject({ fault: "delay", delayMs: 7, operation: "getOrSet" });
    const waiting = withLock(slow, ["a", "b"], () => {}, world.options({ waitMs: 300 }));
    expect(await messageAfter(1_000, waiting)).toContain('"b" was not free within 300 ms');
    await lock.release();
  });
});

it("the loss of a lock that is not renewed does not speak of renewal", async () => {
  const lock = await acquireLock(world.client(), "job", world.options({ ttlMs: 1_000, renew: false }));
  await world.clock.advance(1_000);
  expect(() => lock.assertHeld()).toThrow("its time was over, and it is not renewed");
});

describe("a nested lock", () => {
  it("is refused as such also when it would not wait", async () => {
    const cache = world.client();
    const options = world.options({ waitMs: 0 });
    const nested = withLock(cache, "job", () => withLock(cache, "job", () => {}, options), options);
    await expect(nested).rejects.toThrow(LockReentryError);
  });

  it("is not told to do what it has just done", async () => {
    const cache = world.client();
    const options = world.options({ nested: "share" });
    const nested = withLock(cache, "a", () => withLock(cache, ["a", "b"], () => {}, options), options);
    await expect(nested).rejects.toThrow("withLock of this key alone");
  });
});

describe("faults of the store that a wait goes on after", () => {
  it.each(["lock", "leader"] as const)("are told to the observer of a %s", async (kind) => {
    const cache = world.client();
    cache.inject({ fault: "error", operation: "getOrSet", key: (key) => !key.includes("fence"), times: 3 });
    const { observer } = world.options();
    const candidate = election(cache, "job", { clock: world.clock, ...(observer && { observer }) });
    const waiting =
      kind === "lock" ? acquireLock(cache, "job", world.options({ waitMs: MINUTE })) : candidate.campaign();
    await world.clock.advance(MINUTE);
    expect(world.eventsOf("store-error").map((event) => event.kind)).toEqual([kind, kind, kind]);
    const held = await waiting;
    await ("resign" in held ? held.resign() : held.release());
  });
});
