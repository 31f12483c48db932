import { afterEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { openRedisCache } from "../../../src/cache/redis/index.ts";
import { findServer } from "../../support/find-server.ts";
import { recordCommands } from "../../support/monitor.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";
import { bytes, failureOf, MINUTE } from "./support.ts";

let server: RedisServer;
const opened: Cache[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()));
  await server.stop();
});

async function openAs(rights: string): Promise<Cache> {
  server = await startServer({ lines: [`user app on >secret ${rights}`] });
  const cache = await openRedisCache(`redis://app:secret@${server.host}:${server.port}`);
  opened.push(cache);
  return cache;
}

/** The least that a user needs, as docs/redis.md has it. */
const COMMANDS = "+get +set +del +pttl +publish +subscribe +unsubscribe +ping +select +hello +client|setname";
const NATIVE = "+delifeq";
const SCRIPTS = "+eval +evalsha +script|load";

async function hasNative(): Promise<boolean> {
  const { kind, version } = await findServer();
  return kind === "valkey" && version[0] >= 9;
}

async function everything(cache: Cache): Promise<void> {
  let calls = 0;
  const unwatch = await cache.watch("app:key", () => calls++);
  expect((await cache.getOrSet("app:key", bytes("a"), MINUTE)).wasSet).toBe(true);
  expect(await cache.compareAndSet("app:key", bytes("a"), bytes("b"), MINUTE)).toBe(true);
  expect(await cache.compareAndSet("app:key", bytes("b"), null)).toBe(true);
  await until("the watcher is called", () => calls > 0);
  await unwatch();
  await cache.set("app:key", bytes("a"), MINUTE);
  expect(await cache.delete("app:key")).toBe(true);
  await cache.health();
}

describe("a user with", () => {
  it("what the documentation asks for can do everything", async () => {
    const compare = (await hasNative()) ? NATIVE : SCRIPTS;
    await everything(await openAs(`~app:* &holdfast:0:app:* ${COMMANDS} ${compare}`));
  });

  it("no right to EVAL: nothing is missing where the server compares by itself, otherwise the error says so", async () => {
    const cache = await openAs("~* &* +@all -eval -evalsha -script");
    if (await hasNative()) return await everything(cache);
    await cache.getOrSet("key", bytes("a"), MINUTE);
    const error = await failureOf(cache.compareAndSet("key", bytes("a"), null));
    expect(error).toMatchObject({ code: "ERR_OPERATION", key: "key", operation: "compareAndSet" });
    expect(error.message).toMatch(/NOPERM.*eval/i);
    expect(await cache.get("key")).toEqual(bytes("a"));
  });

  it("the rights that were enough for an older server is served by scripts", async () => {
    await everything(await openAs(`~app:* &holdfast:0:app:* ${COMMANDS} ${SCRIPTS}`));
  });

  it("no right to load scripts can still run them", async () => {
    await everything(await openAs("~* &* +@all -script"));
  });

  it("no right to the channels: every write is applied, only watching fails", async () => {
    const cache = await openAs("~* resetchannels +@all");
    await cache.getOrSet("key", bytes("a"), MINUTE);
    expect(await cache.compareAndSet("key", bytes("a"), bytes("b"), MINUTE)).toBe(true);
    expect(await cache.compareAndSet("key", bytes("b"), null)).toBe(true);
    expect(await cache.compareAndSet("key", null, bytes("c"), MINUTE)).toBe(true);
    const error = await failureOf(cache.watch("key", () => {}));
    expect(error).toMatchObject({ key: "key", operation: "watch" });
    expect(error.message).toMatch(/NOPERM/);
    expect(cache.stats()).toMatchObject({ watchedKeys: 0, inFlight: 0 });
  });

  it("no right to PUBLISH: after the first refusal it is not tried again on this connection", async () => {
    const cache = await openAs("~* &* +@all -publish");
    await cache.compareAndSet("key", null, bytes("a"), MINUTE);
    const { sent } = await recordCommands(server, async () => {
      expect(await cache.compareAndSet("key", bytes("a"), bytes("b"), MINUTE)).toBe(true);
    });
    expect(sent.map(({ name }) => name)).not.toContain("PUBLISH");
  });

  it("no right to a key is told which command on which key was refused", async () => {
    const cache = await openAs("~app:* &* +@all");
    const error = await failureOf(cache.get("other:key"));
    expect(error).toMatchObject({ code: "ERR_OPERATION", key: "other:key", operation: "get" });
    expect(error.message).toMatch(/NOPERM/);
  });
});
