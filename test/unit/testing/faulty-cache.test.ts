import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { cacheConformance, FaultyCache, ManualClock } from "../../../src/testing/index.ts";

const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
const HOUR = 3_600_000;

const clock = new ManualClock();
let cache: FaultyCache;

beforeEach(() => {
  cache = new FaultyCache(createMemoryCache({ clock }), { clock });
});

afterEach(async () => {
  await cache.close();
  expect(clock.timers).toBe(0);
});

/** Whether a promise has settled by now, and how. */
function follow(promise: Promise<unknown>): { state: "pending" | "resolved" | "rejected" } {
  const followed: ReturnType<typeof follow> = { state: "pending" };
  promise.then(
    () => {
      followed.state = "resolved";
    },
    () => {
      followed.state = "rejected";
    },
  );
  return followed;
}

describe("FaultyCache", () => {
  it("delay: the call is executed later", async () => {
    cache.inject({ fault: "delay", delayMs: 100, operation: "set" });
    const set = follow(cache.set("key", a, HOUR));
    await clock.advance(99);
    expect(await cache.get("key")).toBeUndefined();
    expect(set.state).toBe("pending");
    await clock.advance(1);
    expect(await cache.get("key")).toEqual(a);
    expect(set.state).toBe("resolved");
  });

  it.each<[string, object]>([
    ["fault", { fault: "bogus" }],
    ["fault", {}],
    ["operation", { fault: "error", operation: "compareandset" }],
    ["key", { fault: "error", key: 5 }],
    ["delayMs", { fault: "delay", delayMs: "5" }],
    ["skip", { fault: "error", skip: -1 }],
    ["times", { fault: "error", times: "once" }],
    ["times", { fault: "error", times: null }],
  ])("refuses a wrong %s: %o", async (option, fault) => {
    const wrong = { code: "ERR_CONFIG", message: expect.stringMatching(new RegExp(`^${option} is `)) };
    expect(() => cache.inject(fault as never)).toThrow(expect.objectContaining(wrong));
    await cache.set("key", a, HOUR);
    expect(await cache.get("key")).toEqual(a);
  });

  it("delay: the arguments are those of the moment of the call", async () => {
    cache.inject({ fault: "delay", delayMs: 100, operation: "set" });
    const value = Uint8Array.from(a);
    const set = cache.set("key", value, HOUR);
    value.fill(9);
    await clock.advance(100);
    await set;
    expect(await cache.get("key")).toEqual(a);
  });

  it("error: nothing is executed, and the caller gets the error given", async () => {
    const error = new Error("out of luck");
    cache.inject({ fault: "error", error, times: 1 });
    await expect(cache.set("key", a, HOUR)).rejects.toBe(error);
    expect(await cache.get("key")).toBeUndefined();
  });

  it("error: by default an OperationError that names the operation and the key", async () => {
    cache.inject({ fault: "error" });
    await expect(cache.get("key")).rejects.toMatchObject({ code: "ERR_OPERATION", operation: "get", key: "key" });
    await expect(cache.health()).rejects.toMatchObject({ code: "ERR_OPERATION", operation: "health" });
  });

  it("lost-request: nothing is executed, and the caller gets a timeout", async () => {
    cache.inject({ fault: "lost-request", operation: "set" });
    await expect(cache.set("key", a, HOUR)).rejects.toMatchObject({ code: "ERR_CACHE_TIMEOUT" });
    expect(await cache.get("key")).toBeUndefined();
  });

  it("lost-reply: executed, and the caller gets a timeout", async () => {
    cache.inject({ fault: "lost-reply", operation: "set", delayMs: 50 });
    const set = follow(cache.set("key", a, HOUR));
    expect(await cache.get("key")).toEqual(a);
    expect(set.state).toBe("pending");
    await clock.advance(50);
    expect(set.state).toBe("rejected");
  });

  it("duplicate: executed twice, and the caller gets the second result", async () => {
    cache.inject({ fault: "duplicate", times: 1 });
    expect(await cache.compareAndSet("key", null, a, HOUR)).toBe(false);
    expect(await cache.get("key")).toEqual(a);
  });

  it("hang: executed when released, not before", async () => {
    const stuck = cache.inject({ fault: "hang", operation: "set" });
    const set = follow(cache.set("key", a, HOUR));
    await clock.advance(HOUR);
    expect(set.state).toBe("pending");
    expect(await cache.get("key")).toBeUndefined();
    stuck.release();
    await clock.advance(0);
    expect(set.state).toBe("resolved");
    expect(await cache.get("key")).toEqual(a);
    await cache.set("key", b, HOUR);
    expect(await cache.get("key")).toEqual(b);
  });

  it("hang-reply: executed at once; the caller waits until released", async () => {
    const stuck = cache.inject({ fault: "hang-reply", operation: "set" });
    const set = follow(cache.set("key", a, HOUR));
    await clock.advance(HOUR - 1);
    expect(await cache.get("key")).toEqual(a);
    expect(set.state).toBe("pending");
    stuck.release();
    await clock.advance(0);
    expect(set.state).toBe("resolved");
  });

  it("mute: a watch that never calls", async () => {
    let [deaf, hearing] = [0, 0];
    cache.inject({ fault: "mute", operation: "watch", times: 1 });
    await cache.watch("key", () => deaf++);
    await cache.watch("key", () => hearing++);
    await cache.compareAndSet("key", null, a, HOUR);
    expect({ deaf, hearing }).toEqual({ deaf: 0, hearing: 1 });
  });

  it("hits only the operation and the key that are meant", async () => {
    cache.inject({ fault: "error", operation: "get", key: "bad" });
    cache.inject({ fault: "error", operation: "delete", key: (key) => key.endsWith("!") });
    await cache.set("bad", a, HOUR);
    await expect(cache.get("bad")).rejects.toThrow("as injected");
    await expect(cache.delete("bad!")).rejects.toThrow("as injected");
    expect(await cache.get("good")).toBeUndefined();
    expect(await cache.delete("bad")).toBe(true);
    await cache.health();
  });

  it("skips some calls, hits some, and then works", async () => {
    const injection = cache.inject({ fault: "error", skip: 1, times: 2 });
    const results: string[] = [];
    for (let i = 0; i < 5; i++)
      results.push(
        await cache.get("key").then(
          () => "ok",
          () => "failed",
        ),
      );
    expect(results).toEqual(["ok", "failed", "failed", "ok", "ok"]);
    expect(injection.hits).toBe(2);
  });

  it("applies the first fault that matches, and only that", async () => {
    cache.inject({ fault: "error", error: new Error("first"), times: 1 });
    const second = cache.inject({ fault: "error", error: new Error("second"), times: 1 });
    await expect(cache.get("key")).rejects.toThrow("first");
    expect(second.hits).toBe(0);
    await expect(cache.get("key")).rejects.toThrow("second");
    expect(await cache.get("key")).toBeUndefined();
  });

  it("stop ends one fault, heal ends all", async () => {
    const first = cache.inject({ fault: "error", operation: "get" });
    cache.inject({ fault: "error", operation: "set" });
    first.stop();
    expect(await cache.get("key")).toBeUndefined();
    await expect(cache.set("key", a, HOUR)).rejects.toThrow("as injected");
    cache.heal();
    await cache.set("key", a, HOUR);
  });

  it("counts calls by operation and key, those that were hit too", async () => {
    cache.inject({ fault: "error", operation: "set" });
    await cache.set("one", a, HOUR).catch(() => {});
    await cache.get("one");
    await cache.get("two");
    await cache.health();
    expect(cache.count()).toBe(4);
    expect(cache.count({ operation: "get" })).toBe(2);
    expect(cache.count({ key: "one" })).toBe(2);
    expect(cache.calls[0]).toEqual({ operation: "set", key: "one" });
  });

  it("close releases what hangs, and waits for it", async () => {
    cache.inject({ fault: "hang", operation: "getOrSet" });
    const result = cache.getOrSet("key", a, HOUR);
    await cache.close();
    expect(await result).toEqual({ value: a, wasSet: true });
  });

  it("keeps the order of an ordered cache, and can deny having it", () => {
    expect(cache.ordered).toBe(true);
    expect(new FaultyCache(cache, { ordered: false }).ordered).toBe(false);
  });
});

const conforming = new ManualClock();

cacheConformance(
  { describe, it },
  {
    name: "memory behind a FaultyCache without faults",
    open: async () => new FaultyCache(createMemoryCache({ name: "faulty", clock: conforming }), { clock: conforming }),
    elapse: (ms) => conforming.advance(ms),
    exactTime: true,
    exactWatch: true,
  },
);
