import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { recordCommands, type SeenCommand } from "../../support/monitor.ts";
import { startProxy } from "../../support/proxy.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { bytes, MINUTE } from "./support.ts";

let server: RedisServer;
let cache: Cache;
beforeAll(async () => {
  server = await startServer();
  cache = await openRedisCache(server.url, { keyPrefix: "app:" });
});
afterAll(async () => {
  await cache.close();
  await server.stop();
});
beforeEach(() => server.command("FLUSHALL"));

const isAtLeast = (name: "redis" | "valkey", major: number, minor: number): boolean => {
  const { kind, version } = server.binary;
  return kind === name && (version[0] > major || (version[0] === major && version[1] >= minor));
};
const replacesNatively = (): boolean => isAtLeast("valkey", 8, 1) || isAtLeast("redis", 8, 4);
const deletesNatively = (): boolean => isAtLeast("valkey", 9, 0) || isAtLeast("redis", 8, 4);

/** What clients sent while `work` ran: `SET app:key value PX 60000`. */
async function sent(work: () => Promise<unknown>): Promise<string[]> {
  const commands = await recordCommands(server, work);
  return commands.sent.map(line);
}

function line({ name, args }: SeenCommand): string {
  const isScript = name.startsWith("EVAL");
  return [name, ...(isScript ? args.slice(2, 3) : args)].join(" ");
}

describe("one operation is one command", () => {
  it("get, set, delete", async () => {
    expect(await sent(() => cache.get("key"))).toEqual(["GET app:key"]);
    expect(await sent(() => cache.set("key", bytes("v"), 1_500.2))).toEqual(["SET app:key v PX 1501"]);
    expect(await sent(() => cache.set("key", bytes("v"), Number.POSITIVE_INFINITY))).toEqual(["SET app:key v"]);
    expect(await sent(() => cache.delete("key"))).toEqual(["DEL app:key"]);
  });

  it("getOrSet, whether or not the key holds a value", async () => {
    const getOrSet = (): Promise<unknown> => cache.getOrSet("key", bytes("v"), MINUTE);
    expect(await sent(getOrSet)).toEqual(["SET app:key v NX GET PX 60000"]);
    expect(await sent(getOrSet)).toEqual(["SET app:key v NX GET PX 60000"]);
  });

  it("compareAndSet that is not announced, whether or not it succeeds", async () => {
    const { compareAndSet } = { compareAndSet: cache.compareAndSet.bind(cache) };
    const silent = { announce: "none" } as const;
    expect(await sent(() => compareAndSet("key", null, bytes("a"), MINUTE, silent))).toEqual([
      "SET app:key a NX PX 60000",
    ]);
    for (const expected of ["a", "x"]) {
      expect(await sent(() => compareAndSet("key", bytes(expected), bytes("b"), MINUTE, silent))).toEqual([
        replacesNatively() ? `SET app:key b IFEQ ${expected} PX 60000` : "EVALSHA app:key",
      ]);
    }
    for (const expected of ["b", "x"]) {
      expect(await sent(() => compareAndSet("key", bytes(expected), null, undefined, silent))).toEqual([
        deletesNatively() ? `DELIFEQ app:key ${expected}` : "EVALSHA app:key",
      ]);
    }
  });

  it("compareAndSet that writes the same bytes again, which nobody needs to know", async () => {
    await cache.set("key", bytes("a"), MINUTE);
    expect(await sent(() => cache.compareAndSet("key", bytes("a"), bytes("a"), MINUTE))).toHaveLength(1);
  });

  it("the announcement is part of the script, or follows the native command in the same write", async () => {
    await cache.set("key", bytes("a"), MINUTE);
    const proxy = await startProxy(server);
    const other = await openRedisCache(proxy.url, { keyPrefix: "app:" });
    const before = proxy.toServer.chunks;
    const { sent, scripted } = await recordCommands(server, () =>
      other.compareAndSet("key", bytes("a"), bytes("b"), MINUTE),
    );
    const published = [...sent, ...scripted].filter(({ name }) => name === "PUBLISH").map(line);
    expect(published).toEqual(["PUBLISH holdfast:0:app:key 60000"]);
    expect(sent).toHaveLength(replacesNatively() ? 2 : 1);
    // Two, because the first command of a quiet connection leaves at once.
    expect(proxy.toServer.chunks - before).toBeLessThanOrEqual(replacesNatively() ? 2 : 1);
    await other.close();
    await proxy.close();
  });
});

it("no script is ever sent to a server that needs none", async () => {
  const { sent } = await recordCommands(server, async () => {
    await using other = await openDisposable();
    await other.cache.getOrSet("key", bytes("a"), MINUTE);
    await other.cache.compareAndSet("key", bytes("a"), bytes("b"), MINUTE);
    await other.cache.compareAndSet("key", bytes("b"), null);
  });
  const scripts = sent.filter(({ name }) => /^(SCRIPT|EVAL)/.test(name));
  if (replacesNatively() && deletesNatively()) expect(scripts).toEqual([]);
  else expect(scripts.length).toBeGreaterThan(0);
});

it("a watched key costs one SUBSCRIBE and one PTTL, however often it changes", async () => {
  const unwatch = await cache.watch("other", () => {});
  await cache.set("key", bytes("0"), MINUTE);
  const watching = await sent(() => cache.watch("key", () => {}));
  expect(watching.sort()).toEqual(["PTTL app:key", "SUBSCRIBE holdfast:0:app:key"]);
  const changing = await sent(async () => {
    for (let i = 0; i < 5; i++) {
      await cache.compareAndSet("key", bytes(String(i)), bytes(String(i + 1)), MINUTE);
      await cache.get("key");
    }
  });
  expect(changing.filter((command) => /PTTL|SUBSCRIBE/.test(command))).toEqual([]);
  await unwatch();
});

it("operations of one tick leave in one write", async () => {
  const proxy = await startProxy(server);
  const other = await openRedisCache(proxy.url);
  const before = proxy.toServer.chunks;
  await Promise.all(Array.from({ length: 50 }, (_, i) => other.set(`key${i}`, bytes("value"), MINUTE)));
  // The first of a quiet connection leaves at once, the other 49 together.
  expect(proxy.toServer.chunks - before).toBeLessThanOrEqual(2);
  await other.close();
  await proxy.close();
});

async function openDisposable(): Promise<{ cache: Cache } & AsyncDisposable> {
  const opened = await openRedisCache(server.url);
  return { cache: opened, [Symbol.asyncDispose]: () => opened.close() };
}
