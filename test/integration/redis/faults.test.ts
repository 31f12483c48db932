import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { ConnectionError, OperationError } from "../../../src/cache/errors.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { disconnect, Redis } from "../../support/ioredis.ts";
import { recordCommands } from "../../support/monitor.ts";
import { startProxy, type TcpProxy } from "../../support/proxy.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { block, bytes, failureOf, MINUTE, text } from "./support.ts";

const LIMIT_MS = 300;

let server: RedisServer;
let proxy: TcpProxy;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.command("FLUSHALL");
  proxy = await startProxy(server);
});
afterEach(() => proxy.close());

/** Its own connection, and one of the caller that would re-send what was in flight. */
const clients: [string, (run: (cache: Cache) => Promise<void>) => Promise<void>][] = [
  [
    "its own client",
    async (run) => {
      const cache = await openRedisCache(proxy.url, { operationTimeoutMs: LIMIT_MS });
      await run(cache).finally(() => cache.close());
    },
  ],
  [
    "a client of the caller",
    async (run) => {
      const client = new Redis(proxy.port, "127.0.0.1", { retryStrategy: () => 20 });
      client.on("error", () => {});
      const cache = await openRedisCache(client, { operationTimeoutMs: LIMIT_MS });
      await run(cache).finally(async () => {
        await cache.close();
        disconnect(client);
      });
    },
  ],
];

const connectedAgain = (cache: Cache): Promise<unknown> =>
  until("it is connected again", () => cache.health().then(() => true));

describe.each(clients)("through %s", (_, open) => {
  it("a server that answers nothing: the limit passes, the outcome is unknown, and later it works again", () =>
    open(async (cache) => {
      await server.command("CLIENT", "PAUSE", LIMIT_MS * 2);
      const begunMs = performance.now();
      const error = await failureOf(cache.set("key", bytes("value"), MINUTE));
      expect(performance.now() - begunMs).toBeGreaterThanOrEqual(LIMIT_MS - 1);
      expect(error).toBeInstanceOf(OperationError);
      expect(error).toMatchObject({ code: "ERR_CACHE_TIMEOUT", key: "key", operation: "set" });
      expect(error.address).toContain(`127.0.0.1:${proxy.port}`);
      expect(error.message).toMatch(/unknown/);
      expect(cache.stats()).toMatchObject({ errors: 1, timeouts: 1, inFlight: 0 });
      await connectedAgain(cache);
      await cache.set("key", bytes("again"), MINUTE);
      expect(text(await cache.get("key"))).toBe("again");
    }));

  it("a lost reply: the outcome is unknown, and the command is not sent a second time", () =>
    open(async (cache) => {
      const { sent } = await recordCommands(server, async () => {
        const cut = proxy.cutReply({ afterBytes: 0, request: "lost" });
        const error = await failureOf(cache.compareAndSet("key", null, bytes("lost"), MINUTE));
        expect(error).toBeInstanceOf(OperationError);
        expect(error).toMatchObject({ code: "ERR_CONNECTION_LOST", key: "key", operation: "compareAndSet" });
        await cut;
        await connectedAgain(cache);
      });
      expect(sent.filter(({ args }) => args.includes("lost"))).toHaveLength(1);
      expect(text(await cache.get("key"))).toBe("lost");
    }));

  it("a reply cut in the middle: what came whole counts, the rest is unknown", () =>
    open(async (cache) => {
      await cache.set("long", bytes("x".repeat(1_000)), MINUTE);
      const cut = proxy.cutReply({ afterBytes: 500, request: "long" });
      const [long, after] = await Promise.all([failureOf(cache.get("long")), failureOf(cache.get("short"))]);
      await cut;
      expect([long.code, after.code]).toEqual(["ERR_CONNECTION_LOST", "ERR_CONNECTION_LOST"]);
      await connectedAgain(cache);
      expect(text(await cache.get("long"))).toHaveLength(1_000);
    }));

  it("no connection: operations wait for it, in their order, with the bytes of their call", () =>
    open(async (cache) => {
      proxy.refuse();
      await until("the cache has noticed", () => cache.stats().state === "connecting");
      const { sent } = await recordCommands(server, async () => {
        const value = bytes("first");
        const all = [
          cache.set("key", value, MINUTE),
          cache.compareAndSet("key", bytes("first"), bytes("second"), MINUTE, { announce: "none" }),
          cache.getOrSet("other", value, MINUTE),
          cache.compareAndSet("key", bytes("second"), bytes("third"), MINUTE, { announce: "none" }),
        ];
        value.fill(0);
        proxy.heal();
        const [, second, other, third] = await Promise.all(all);
        expect([second, third]).toEqual([true, true]);
        expect(other).toEqual({ value: bytes("first"), wasSet: true });
      });
      expect(text(await cache.get("key"))).toBe("third");
      expect(sent.filter(({ args }) => args.includes("key") || args.includes("other"))).toHaveLength(4);
    }));

  it("no connection for too long: nothing was sent, and nothing ever will be", () =>
    open(async (cache) => {
      proxy.refuse();
      await until("the cache has noticed", () => cache.stats().state === "connecting");
      const error = await failureOf(cache.set("key", bytes("late"), MINUTE));
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ key: "key", operation: "set" });
      expect(error.message).toMatch(/nothing was sent/);
      proxy.heal();
      await connectedAgain(cache);
      expect(await cache.get("key")).toBeUndefined();
    }));

  it("what was given up while it was on its way is not executed after a reconnect", () =>
    open(async (cache) => {
      await cache.set("key", bytes("old"), MINUTE);
      proxy.toServer.hold();
      const error = await failureOf(cache.set("key", bytes("late"), MINUTE));
      expect(["ERR_CACHE_TIMEOUT", "ERR_CONNECTION_LOST"]).toContain(error.code);
      proxy.cut();
      proxy.heal();
      await connectedAgain(cache);
      expect(text(await cache.get("key"))).toBe("old");
    }));

  it("a restart: what is in flight fails, what comes later is served", () =>
    open(async (cache) => {
      await cache.set("key", bytes("value"), MINUTE);
      await server.restart({ keepData: true });
      await connectedAgain(cache);
      expect(text(await cache.get("key"))).toBe("value");
      expect(await cache.compareAndSet("key", bytes("value"), bytes("next"), MINUTE)).toBe(true);
    }));

  it("scripts that the server has forgotten are sent again", () =>
    open(async (cache) => {
      await cache.set("key", bytes("a"), MINUTE);
      await server.command("SCRIPT", "FLUSH");
      expect(await cache.compareAndSet("key", bytes("a"), bytes("b"), MINUTE)).toBe(true);
      await server.command("SCRIPT", "FLUSH");
      expect(await cache.compareAndSet("key", bytes("b"), null)).toBe(true);
    }));

  it("a server that has become a replica: nothing is written, and it is used again once it is a master", () =>
    open(async (cache) => {
      await server.command("REPLICAOF", "127.0.0.1", "1");
      try {
        const error = await failureOf(cache.set("key", bytes("value"), MINUTE));
        expect(error).toMatchObject({ code: "ERR_OPERATION" });
        expect(error.message).toMatch(/READONLY.*nothing was written/);
      } finally {
        await server.command("REPLICAOF", "NO", "ONE");
      }
      await connectedAgain(cache);
      await cache.set("key", bytes("value"), MINUTE);
    }));

  it("health is a ConnectionError while the server does not answer", () =>
    open(async (cache) => {
      proxy.partition();
      const error = await failureOf(cache.health());
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error.operation).toBe("health");
      proxy.heal();
      await connectedAgain(cache);
    }));

  it("close waits for what is in flight, no longer than its limit", () =>
    open(async (cache) => {
      proxy.partition();
      const failure = failureOf(cache.set("key", bytes("value"), MINUTE));
      const closed = cache.close();
      expect((await failureOf(cache.get("key"))).code).toBe("ERR_CLOSED");
      expect((await failure).code).toBe("ERR_CACHE_TIMEOUT");
      await closed;
    }));
});

it("an event loop that was blocked for longer than the limit: answers that have come meanwhile count", async () => {
  // Not through the proxy, which is blocked as well.
  const cache = await openRedisCache(server.url, { operationTimeoutMs: LIMIT_MS });
  const reading = cache.get("key");
  block(LIMIT_MS + 100);
  expect(await reading).toBeUndefined();
  await cache.close();
});

it("a connection that is half open is replaced as soon as an operation has waited in vain", async () => {
  const cache = await openRedisCache(proxy.url, { operationTimeoutMs: LIMIT_MS });
  const [before] = await clientsOf(server);
  proxy.toClient.hold();
  await failureOf(cache.get("key"));
  proxy.cut();
  proxy.heal();
  await connectedAgain(cache);
  const [after] = await clientsOf(server);
  expect(after).not.toBe(before);
  await cache.close();
});

it("a password that is changed while it is connected: the error says so, and nothing repeats the old one", async () => {
  const secret = "hunter2";
  const guarded = await startServer({ config: { requirepass: secret } });
  const url = `redis://:${secret}@${guarded.host}:${guarded.port}`;
  const cache = await openRedisCache(url, { operationTimeoutMs: LIMIT_MS });
  try {
    await guarded.command("CONFIG", "SET", "requirepass", "another");
    const client = new Redis({ host: guarded.host, port: guarded.port, password: "another" });
    await client.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    disconnect(client);
    await until("the cache has noticed", () => cache.stats().state === "connecting");
    const error = await failureOf(cache.get("key"));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error.message).toMatch(/WRONGPASS.*nothing was sent/);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    expect(inspect(cache, { depth: 10, showHidden: true })).not.toContain(secret);
  } finally {
    await cache.close();
    await guarded.stop();
  }
});

it("a full store: ERR_CACHE_FULL, and what frees room still works", async () => {
  const full = await startServer({ config: { maxmemory: "3mb", "maxmemory-policy": "noeviction" } });
  const cache = await openRedisCache(full.url, { maxValueBytes: 4 * 1024 * 1024 });
  try {
    await cache.set("key", bytes("value"), MINUTE);
    await full.command("CONFIG", "SET", "maxmemory", "1");
    for (const write of [
      cache.set("other", bytes("value"), MINUTE),
      cache.getOrSet("other", bytes("value"), MINUTE),
      cache.compareAndSet("other", null, bytes("value"), MINUTE),
      cache.compareAndSet("key", bytes("value"), bytes("other"), MINUTE),
    ]) {
      const error = await failureOf(write);
      expect(error).toMatchObject({ code: "ERR_CACHE_FULL" });
      expect(error.message).toMatch(/nothing was written/);
    }
    expect(text(await cache.get("key"))).toBe("value");
    expect(await cache.compareAndSet("key", bytes("value"), null)).toBe(true);
    expect(await cache.delete("other")).toBe(false);
  } finally {
    await cache.close();
    await full.stop();
  }
});

it("a key that holds another type: an error, and it is left alone", async () => {
  await server.command("LPUSH", "list", "entry");
  const cache = await openRedisCache(server.url);
  for (const operation of [
    cache.get("list"),
    cache.getOrSet("list", bytes("value"), MINUTE),
    cache.compareAndSet("list", bytes("entry"), bytes("value"), MINUTE),
    cache.compareAndSet("list", bytes("entry"), null),
  ]) {
    expect((await failureOf(operation)).message).toMatch(/WRONGTYPE/);
  }
  expect(await server.command("LRANGE", "list", 0, -1)).toEqual(["entry"]);
  await cache.close();
});

/** The ids of the clients that the server has, but for the one that asks. */
async function clientsOf({ command }: RedisServer): Promise<string[]> {
  const list = String(await command.call(server, "CLIENT", "LIST"));
  return list
    .split("\n")
    .filter((line) => line.includes("name=holdfast"))
    .map((line) => /\bid=(\d+)/.exec(line)?.[1] ?? "");
}
