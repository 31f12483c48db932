import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { type RedisSentinel, startSentinel } from "../../support/redis-sentinel.ts";
import { until } from "../../support/until.ts";
import { bytes, MINUTE, text } from "./support.ts";

let sentinel: RedisSentinel;
let cache: Cache;
beforeEach(async () => {
  sentinel = await startSentinel({ server: { config: { databases: 4 } } });
});
afterEach(async () => {
  await cache.close();
  await sentinel.stop();
});

it("a failover: the new master is found, greeted, and everything goes on there", async () => {
  cache = await openRedisCache(`${sentinel.url}/2`);
  await cache.set("key", bytes("a"), MINUTE);
  let calls = 0;
  await cache.watch("key", () => calls++);
  await sentinel.failover();
  expect(await sentinel.currentMaster()).toBe(sentinel.replica);
  // Until the old master is told, it may still take a write; a replica refuses it.
  await until("the new master is used", async () => {
    await cache.set("other", bytes("b"), MINUTE);
    const keyspace = String(await sentinel.replica.command("INFO", "keyspace"));
    return keyspace.includes("db2:keys=2");
  });
  expect(calls).toBeGreaterThan(0);
  expect(text(await cache.get("key"))).toBe("a");
  // The scripts were loaded there as well, and the subscriber has moved with us.
  const before = calls;
  expect(await cache.compareAndSet("key", bytes("a"), bytes("b"), MINUTE)).toBe(true);
  await until("the watcher is called", () => calls > before);
});

it("a master that dies: operations wait for the next one, or say that nothing was sent", async () => {
  cache = await openRedisCache(sentinel.url, { operationTimeoutMs: 200 });
  await sentinel.master.kill();
  const outcomes = await Promise.allSettled([cache.get("key"), cache.set("key", bytes("a"), MINUTE)]);
  for (const outcome of outcomes) {
    expect(outcome.status).toBe("rejected");
    expect(["ERR_CONNECTION", "ERR_CONNECTION_LOST"]).toContain((outcome as PromiseRejectedResult).reason.code);
  }
  await sentinel.failover();
  await until("the new master is used", () => cache.set("key", bytes("a"), MINUTE).then(() => true));
  expect(await sentinel.replica.command("GET", "key")).toBe("a");
});
