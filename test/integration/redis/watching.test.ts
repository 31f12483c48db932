import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { recordCommands } from "../../support/monitor.ts";
import { startProxy, type TcpProxy } from "../../support/proxy.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, failureOf, MINUTE } from "./support.ts";

let server: RedisServer;
let proxy: TcpProxy;
let cache: Cache;
let other: Cache;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.command("FLUSHALL");
  proxy = await startProxy(server);
  cache = await openRedisCache(proxy.url, { keyPrefix: "app:", operationTimeoutMs: 500 });
  other = await openRedisCache(server.url, { keyPrefix: "app:" });
});
afterEach(async () => {
  await cache.close();
  await other.close();
  await proxy.close();
});

class Calls {
  count = 0;
  readonly listener = (): void => {
    this.count += 1;
  };
  /** Resolves when there are more calls than there were when it was called. */
  async next(): Promise<void> {
    const before = this.count;
    await until("the watcher is called", () => this.count > before);
  }
}

/** How many connections subscribe to the channel of `app:key`. */
async function subscribers(): Promise<number> {
  const [, count] = (await server.command("PUBSUB", "NUMSUB", "holdfast:0:app:key")) as [string, number];
  return count;
}

async function connections(): Promise<number> {
  const list = String(await server.command("CLIENT", "LIST"));
  return list.split("\n").filter((line) => line.includes("name=holdfast")).length;
}

describe("one subscription", () => {
  it("serves all watchers of a key and ends with the last of them", async () => {
    const [one, two] = await Promise.all([cache.watch("key", () => {}), cache.watch("key", () => {})]);
    expect(await subscribers()).toBe(1);
    await one();
    expect(await subscribers()).toBe(1);
    await two();
    expect(await subscribers()).toBe(0);
  });

  it("and one connection serve all keys; there is none before the first watch", async () => {
    expect(await connections()).toBe(2);
    await Promise.all(["a", "b", "c"].map((key) => cache.watch(key, () => {})));
    expect(await connections()).toBe(3);
    await cache.close();
    await until("the connections are closed", async () => (await connections()) === 1);
  });

  it("survives watches that begin and end in any order at the same time", async () => {
    const calls = new Calls();
    let unwatch = await cache.watch("key", calls.listener);
    for (let round = 0; round < 50; round++) {
      const [next] = await Promise.all([cache.watch("key", calls.listener), unwatch()]);
      const [again] = await Promise.all([cache.watch("key", calls.listener), next()]);
      unwatch = again;
    }
    expect(await subscribers()).toBe(1);
    const called = calls.next();
    await other.compareAndSet("key", null, bytes("value"), MINUTE);
    await called;
    await unwatch();
    expect(await subscribers()).toBe(0);
  });

  it("is kept while the cache is closed by nobody, and leaves nothing when it is closed", async () => {
    await cache.watch("key", () => {});
    await cache.close();
    await until("it is unsubscribed", async () => (await subscribers()) === 0);
  });
});

describe("an expiry", () => {
  it("wakes the watcher of a value that a getOrSet of this cache found there later", async () => {
    const calls = new Calls();
    await cache.watch("key", calls.listener);
    // Not announced, since it is no compare-and-set.
    await other.getOrSet("key", bytes("theirs"), 150);
    await cache.getOrSet("key", bytes("mine"), MINUTE);
    await calls.next();
    expect(await other.get("key")).toBeUndefined();
  });

  it("wakes the watcher of a value that this cache has set, whose TTL it need not ask for", async () => {
    const calls = new Calls();
    await cache.watch("key", calls.listener);
    const { sent } = await recordCommands(server, () => cache.getOrSet("key", bytes("mine"), 150));
    expect(sent.map(({ name }) => name)).toEqual(["SET"]);
    await calls.next();
    expect(await other.get("key")).toBeUndefined();
  });

  it("is not mistaken: a renewed value is looked at again, silently", async () => {
    const calls = new Calls();
    await other.set("key", bytes("a"), 200);
    await cache.watch("key", calls.listener);
    const { sent } = await recordCommands(server, async () => {
      await other.compareAndSet("key", bytes("a"), bytes("a"), 400);
      await calls.next();
    });
    expect(await other.get("key")).toBeUndefined();
    expect(calls.count).toBe(1);
    // One that finds the renewed value, one that finds it gone; and perhaps one that is a moment too early.
    const looks = sent.filter(({ name }) => name === "PTTL").length;
    expect([2, 3]).toContain(looks);
  });

  it("follows what is announced", async () => {
    const calls = new Calls();
    await other.set("key", bytes("a"), MINUTE);
    await cache.watch("key", calls.listener);
    await other.compareAndSet("key", bytes("a"), bytes("b"), 100);
    await until("the watcher is called for the change and for the expiry", () => calls.count === 2);
  });
});

describe("a broken connection", () => {
  it("is a gap: every watcher is called once, and watches go on", async () => {
    const [one, two] = [new Calls(), new Calls()];
    await cache.watch("key", one.listener);
    await cache.watch("other", two.listener);
    const called = Promise.all([one.next(), two.next()]);
    proxy.cut();
    await called;
    await until("it is subscribed again", async () => (await subscribers()) === 1);
    const again = one.next();
    await other.compareAndSet("key", null, bytes("value"), MINUTE);
    await again;
  });

  it("of the subscriber alone is a gap as well", async () => {
    const calls = new Calls();
    await cache.watch("key", calls.listener);
    const called = calls.next();
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    await called;
    const again = calls.next();
    await until("it is subscribed again", async () => (await subscribers()) === 1);
    await other.compareAndSet("key", null, bytes("value"), MINUTE);
    await again;
  });

  it("makes a watch that begins meanwhile wait, or fail in time", async () => {
    proxy.refuse();
    await until("the cache has noticed", () => cache.stats().state === "connecting");
    const error = await failureOf(cache.watch("key", () => {}));
    expect(error).toMatchObject({ operation: "watch" });
    expect(cache.stats()).toMatchObject({ watchedKeys: 0, inFlight: 0 });
    proxy.heal();
    const calls = new Calls();
    await until("a watch is possible again", () => cache.watch("key", calls.listener));
    const called = calls.next();
    await other.compareAndSet("key", null, bytes("value"), MINUTE);
    await called;
  });
});

it("a key is announced in the database in which it is, and in no other", async () => {
  const [two, three] = await Promise.all([2, 3].map((db) => openRedisCache(`${server.url}/${db}`)));
  const [here, there] = [new Calls(), new Calls()];
  await two?.watch("key", here.listener);
  await three?.watch("key", there.listener);
  const called = here.next();
  await two?.compareAndSet("key", null, bytes("value"), MINUTE);
  await called;
  await three?.get("key");
  expect(there.count).toBe(0);
  await Promise.all([two?.close(), three?.close()]);
});

it("an onChange that throws is the caller's own fault, and stops no other", async () => {
  const thrown = new Promise((resolve) => process.once("uncaughtException", resolve));
  const handlers = process.listeners("uncaughtException").slice(0, -1);
  for (const handler of handlers) process.off("uncaughtException", handler);
  try {
    const calls = new Calls();
    await cache.watch("key", () => {
      throw new Error("a fault of the caller");
    });
    await cache.watch("key", calls.listener);
    const called = calls.next();
    await other.compareAndSet("key", null, bytes("value"), MINUTE);
    await called;
    expect(await thrown).toMatchObject({ message: "a fault of the caller" });
  } finally {
    for (const handler of handlers) process.on("uncaughtException", handler);
  }
});
