import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ConnectionError } from "../../../src/cache/errors.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { freePort } from "../../support/free-port.ts";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, failureOf, MINUTE, text } from "./support.ts";

let server: RedisServer;
let client: Redis;
beforeAll(async () => {
  server = await startServer({ config: { databases: 16 } });
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.command("FLUSHALL");
  client = new Redis(server.port, "127.0.0.1", { keyPrefix: "theirs:", db: 5 });
});
afterEach(() => disconnect(client));

const listeners = (): Record<string, number> =>
  Object.fromEntries(client.eventNames().map((event) => [String(event), client.listenerCount(event)]));

describe("a client of the caller", () => {
  it("is used as it is: its database, its prefix before ours", async () => {
    const cache = await openRedisCache(client, { keyPrefix: "ours:" });
    await cache.set("key", bytes("value"), MINUTE);
    expect(await client.get("ours:key")).toBe("value");
    expect(await cache.compareAndSet("key", bytes("value"), null)).toBe(true);
    expect(await client.exists("ours:key")).toBe(0);
    await cache.close();
  });

  it("is not closed, and keeps none of our listeners", async () => {
    await client.ping();
    const before = listeners();
    const cache = await openRedisCache(client);
    await cache.watch("key", () => {});
    await cache.close();
    expect(listeners()).toEqual(before);
    expect(await client.ping()).toBe("PONG");
    await until("only the caller's connection is left", async () => {
      const list = String(await server.command("CLIENT", "LIST"));
      return list.trim().split("\n").length === 2;
    });
  });

  it("is connected when that was left to the first use", async () => {
    const lazy = new Redis(server.port, { lazyConnect: true });
    const cache = await openRedisCache(lazy);
    await cache.health();
    await cache.close();
    disconnect(lazy);
  });

  it("shares its order with the caller's own commands", async () => {
    const cache = await openRedisCache(client);
    expect(cache.ordered).toBe(true);
    const results = await Promise.all([
      cache.set("key", bytes("1"), MINUTE),
      client.append("key", "2"),
      cache.get("key"),
    ]);
    expect(text(results[2])).toBe("12");
    await cache.close();
  });

  it("that batches commands by itself keeps the order of ours", async () => {
    const batching = new Redis(server.port, { enableAutoPipelining: true });
    const cache = await openRedisCache(batching);
    const all = Array.from({ length: 20 }, (_, i) =>
      cache.compareAndSet("key", i ? bytes(`${i - 1}`) : null, bytes(`${i}`), MINUTE),
    );
    expect(await Promise.all(all)).toEqual(all.map(() => true));
    await cache.close();
    disconnect(batching);
  });

  it("that the caller closes ends every operation at once", async () => {
    const cache = await openRedisCache(client);
    const pending = cache.get("key").catch((error: unknown) => error);
    disconnect(client);
    await pending;
    const error = await failureOf(cache.get("key"));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/was closed; nothing was sent|was closed \(/);
    await cache.close();
  });

  it("that cannot connect is given up after the connect limit, and left to its own attempts", async () => {
    const lost = new Redis(await freePort(), "127.0.0.1", { retryStrategy: () => 30, disconnectTimeout: 10 });
    const errors: Error[] = [];
    lost.on("error", (error) => errors.push(error));
    const error = await failureOf(openRedisCache(lost, { connectTimeoutMs: 200 }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/ECONNREFUSED/);
    const before = errors.length;
    await until("it goes on trying", () => errors.length > before);
    expect(lost.listenerCount("error")).toBe(1);
    disconnect(lost);
  });

  it("that subscribes to something is told to be of no use", async () => {
    const subscribing = new Redis(server.port, { protocol: 2 } as object);
    await subscribing.subscribe("channel");
    const error = await failureOf(openRedisCache(subscribing, { connectTimeoutMs: 500 }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/subscriber mode/);
    disconnect(subscribing);
  });

  it("serves several caches, which end one by one", async () => {
    const [one, two] = await Promise.all([
      openRedisCache(client, { keyPrefix: "one:" }),
      openRedisCache(client, { keyPrefix: "two:" }),
    ]);
    await one.set("key", bytes("1"), MINUTE);
    await two.set("key", bytes("2"), MINUTE);
    await one.close();
    expect(text(await two.get("key"))).toBe("2");
    await two.close();
  });
});
