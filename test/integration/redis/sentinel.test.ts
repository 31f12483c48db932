import { afterEach, beforeEach, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { type RedisSentinel, startSentinel } from "../../support/redis-sentinel.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, MINUTE } from "./support.ts";

let sentinel: RedisSentinel;
let cache: Cache;
beforeEach(async () => {
  sentinel = await startSentinel({ sentinels: 3, server: { config: { databases: 4 } } });
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
  // The old master may take writes, which will be lost, until it is told, some ten seconds later.
  await until("the new master is used", () => isUsed(sentinel.replica));
  expect(calls).toBeGreaterThan(0);
  await cache.set("key", bytes("a"), MINUTE);
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

it("a failover is noticed although the Sentinel that was asked first has gone", async () => {
  cache = await openRedisCache(`${sentinel.url}/2`);
  const [first, second] = sentinel.sentinels;
  await first?.kill();
  await second?.command("SENTINEL", "FAILOVER", sentinel.name);
  await until("the replica is the master", async () =>
    String(await sentinel.replica.command("ROLE")).startsWith("master"),
  );
  await until("the new master is used", () => isUsed(sentinel.replica));
});

let probes = 0;

/** Whether a write of the cache reaches the server. */
async function isUsed(server: RedisServer): Promise<boolean> {
  const before = await keysIn(server);
  await cache.set(`probe${probes++}`, bytes("probe"), MINUTE);
  return (await keysIn(server)) > before;
}

async function keysIn(server: RedisServer): Promise<number> {
  return Number(/db2:keys=(\d+)/.exec(String(await server.command("INFO", "keyspace")))?.[1] ?? 0);
}
