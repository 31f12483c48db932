import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { Cluster, disconnect, type Redis } from "../../support/ioredis.ts";
import { recordCommands } from "../../support/monitor.ts";
import { type RedisCluster, startCluster } from "../../support/redis-cluster.ts";
import type { RedisServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, failureOf, MINUTE, text } from "./support.ts";

let cluster: RedisCluster;
let cache: Cache;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());
beforeEach(async () => {
  cache = await openRedisCache(cluster.url, { keyPrefix: "app:", operationTimeoutMs: 1_000 });
});
afterEach(() => cache.close());

const KEYS = Array.from({ length: 30 }, (_, i) => `key${i}`);

it("every node is used, and no command is redirected", async () => {
  const redirectsBefore = await redirects();
  for (const key of KEYS) {
    await cache.set(key, bytes("a"), MINUTE);
    expect(await cache.compareAndSet(key, bytes("a"), bytes("b"), MINUTE)).toBe(true);
    expect(await cache.compareAndSet(key, bytes("b"), null)).toBe(true);
    expect((await cache.getOrSet(key, bytes("c"), MINUTE)).wasSet).toBe(true);
  }
  for (const master of cluster.masters) expect(Number(await master.command("DBSIZE"))).toBeGreaterThan(0);
  expect(await redirects()).toBe(redirectsBefore);
});

it("is not ordered, for one of two commands may be redirected", () => {
  expect(cache.ordered).toBe(false);
});

it("a watcher hears of a change on any node", async () => {
  const heard = new Set<string>();
  await Promise.all(KEYS.map((key) => cache.watch(key, () => heard.add(key))));
  const other = await openRedisCache(cluster.url, { keyPrefix: "app:" });
  await Promise.all(KEYS.map((key) => other.delete(key)));
  await Promise.all(KEYS.map((key) => other.compareAndSet(key, null, bytes("value"), MINUTE)));
  await until("all are heard of", () => heard.size === KEYS.length);
  await other.close();
});

it("a slot that moves while it is used: every operation is served by the node that has it", async () => {
  const key = "moving";
  await cache.set(key, bytes("0"), MINUTE);
  const [source, target] = await ownersOf(`app:${key}`);
  let value = 0;
  let moving = true;
  const moved = moveSlot(`app:${key}`, source, target).finally(() => {
    moving = false;
  });
  while (moving || value < 50) {
    expect(await cache.compareAndSet(key, bytes(`${value}`), bytes(`${value + 1}`), MINUTE)).toBe(true);
    value += 1;
  }
  await moved;
  expect(text(await cache.get(key))).toBe(String(value));
  const { sent } = await recordCommands(target, () => cache.compareAndSet(key, bytes(`${value}`), null));
  expect(sent.length).toBeGreaterThan(0);
});

it.each([
  ["connected", false],
  ["not yet connected", true],
])(
  "a slot moves to a node that breaks off, client %s: the operation fails, nothing is left unhandled",
  async (_, lazyConnect) => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", onUnhandled);
    const client = new Cluster([...cluster.nodes], { lazyConnect });
    if (!lazyConnect) await once(client, "ready");
    const asker = await openRedisCache(client, { operationTimeoutMs: 300 });
    const [source, target] = await ownersOf("asked");
    const finishMove = await beginMove("asked", source, target);
    try {
      expect(await asker.get("asked")).toBeUndefined();
      target.pause();
      expect((await failureOf(asker.get("asked"))).code).toBe("ERR_CACHE_TIMEOUT");
      const node = client.nodes().find(({ options }) => options.port === target.port) as Redis;
      node.stream.destroy();
      await once(node, "end");
      await setImmediate();
      expect(unhandled).toEqual([]);
    } finally {
      target.resume();
      await finishMove();
      await asker.close();
      disconnect(client);
      process.off("unhandledRejection", onUnhandled);
    }
  },
);

it("a node that is restarted: what was in flight is unknown and not sent again, then it is used again", async () => {
  const [, , node] = cluster.masters as [RedisServer, RedisServer, RedisServer];
  const [key = ""] = await keysOf(node);
  await cache.set(key, bytes("before"), MINUTE);
  node.pause();
  const failure = failureOf(cache.compareAndSet(key, bytes("before"), bytes("after"), MINUTE));
  expect((await failure).code).toBe("ERR_CACHE_TIMEOUT");
  node.resume();
  await node.restart({ keepData: true });
  await until("the node is used again", () => cache.set(key, bytes("again"), MINUTE).then(() => true));
  expect(text(await cache.get(key))).toBe("again");
});

it("the node of the subscriber goes away: another one takes its place, and watchers are called", async () => {
  let calls = 0;
  const [key = ""] = await keysOf(cluster.masters[0] as RedisServer);
  await cache.watch(key, () => calls++);
  const subscribed = await Promise.all(
    cluster.masters.map(async (node) => ((await node.command("PUBSUB", "CHANNELS", "holdfast:*")) as []).length > 0),
  );
  const node = cluster.masters[subscribed.indexOf(true)] as RedisServer;
  const before = calls;
  await node.restart({ keepData: true });
  await until("the watcher is called", () => calls > before);
  await until("a change is heard of again", async () => {
    const known = calls;
    await cache.delete(key);
    await cache.compareAndSet(key, null, bytes("value"), MINUTE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return calls > known;
  });
});

/** How often a node has sent a command to another one. */
async function redirects(): Promise<number> {
  const errors = await Promise.all(cluster.masters.map((node) => node.command("INFO", "errorstats")));
  const counts = errors.join().matchAll(/errorstat_(?:MOVED|ASK):count=(\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function keysOf(node: RedisServer): Promise<string[]> {
  const owned: string[] = [];
  for (const key of KEYS) if ((await ownersOf(`app:${key}`))[0] === node) owned.push(key);
  return owned;
}

/** The node that has the slot of a key, and another one. */
async function ownersOf(fullKey: string): Promise<[RedisServer, RedisServer]> {
  const [first] = cluster.masters as [RedisServer];
  const slot = Number(await first.command("CLUSTER", "KEYSLOT", fullKey));
  const slots = (await first.command("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
  const range = slots.find(([from, to]) => from <= slot && slot <= to);
  const owner = cluster.masters.find(({ port }) => port === range?.[2][1]) as RedisServer;
  const other = cluster.masters.find((master) => master !== owner) as RedisServer;
  return [owner, other];
}

/** Moves the slot of a key, which is its only one, to another node. */
async function moveSlot(fullKey: string, source: RedisServer, target: RedisServer): Promise<void> {
  const finish = await beginMove(fullKey, source, target);
  await source.command("MIGRATE", target.host, target.port, fullKey, 0, 5_000);
  await finish();
}

/** From now on the source sends whoever asks for an absent key of the slot to the target. Returns what ends the move. */
async function beginMove(fullKey: string, source: RedisServer, target: RedisServer): Promise<() => Promise<void>> {
  const slot = Number(await source.command("CLUSTER", "KEYSLOT", fullKey));
  const [sourceId, targetId] = await Promise.all([source, target].map((node) => node.command("CLUSTER", "MYID")));
  await target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", String(sourceId));
  await source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", String(targetId));
  return async () => {
    for (const node of [target, source, ...cluster.masters]) {
      await node.command("CLUSTER", "SETSLOT", slot, "NODE", String(targetId));
    }
  };
}
