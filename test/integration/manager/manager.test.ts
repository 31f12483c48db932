/** The manager on real servers: connections, evictions, failures, secrets. */

import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ConfigError, ConnectionError } from "../../../src/cache/errors.ts";
import { createManager, type Manager, type ManagerOptions } from "../../../src/manager/index.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { freePort } from "../../support/free-port.ts";
import { type RedisServer, startServer } from "../../support/redis-server.ts";
import { until } from "../../support/until.ts";

const TARGETS = 200;
const value = Uint8Array.of(1);
const HOUR = 3_600_000;

describe("a manager", () => {
  let server: RedisServer;
  const managers: Manager[] = [];

  beforeAll(async () => {
    server = await startServer({ config: { databases: TARGETS } });
  });

  afterEach(async () => {
    await Promise.all(managers.splice(0).map((manager) => manager.close()));
    await server.command("FLUSHALL");
  });

  afterAll(() => server.stop());

  function open(options: Partial<ManagerOptions> = {}): Manager {
    // The machine may be busy with something else for a while, which is not what is tested here.
    const patience = { operationTimeoutMs: 15_000, connectTimeoutMs: 15_000 };
    const manager = createManager({ resolve: () => ({ url: server.url }), ...patience, ...options });
    managers.push(manager);
    return manager;
  }

  /** Connections that holdfast has open, without those that only listen. */
  async function connections(kind: "normal" | "pubsub" = "normal"): Promise<number> {
    const list = String(await server.command("CLIENT", "LIST", "TYPE", kind));
    return list.split("\n").filter((line) => line.includes("name=holdfast")).length;
  }

  it("serves 10,000 tenants of one server by one connection, and one more while somebody waits", async () => {
    const manager = open();
    const ids = Array.from({ length: 10_000 }, (_, index) => `tenant ${index}`);
    const caches = await Promise.all(ids.map((id) => manager.get(id)));
    for (let from = 0; from < caches.length; from += 1_000) {
      const some = caches.slice(from, from + 1_000);
      await Promise.all(some.map((cache, index) => cache.set("key", Uint8Array.of((from + index) % 256), HOUR)));
    }
    for (const index of [0, 1, 5_000, 9_999]) {
      expect(await caches[index]?.get("key")).toEqual(Uint8Array.of(index % 256));
    }
    expect(manager.stats()).toMatchObject({ tenants: 10_000, connections: 1, opened: 1 });
    expect(await connections()).toBe(1);
    expect(await connections("pubsub")).toBe(0);

    const unwatches = await Promise.all(caches.slice(0, 100).map((cache) => cache.watch("key", () => {})));
    expect(await connections("pubsub")).toBe(1);
    await Promise.all(unwatches.map((unwatch) => unwatch()));
  }, 60_000);

  it("settles at its limit under random use of twice as many targets; nothing fails, nothing held is lost", async () => {
    const manager = open({
      resolve: (tenantId) => ({ url: `${server.url}/${tenantId}` }),
      maxConnections: TARGETS / 2,
    });
    const locks = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        acquireLock(await manager.get(String(index)), "held", { ttlMs: 5_000 }),
      ),
    );
    let left = 800;
    const worker = async (number: number): Promise<void> => {
      while (left-- > 0) {
        const cache = await manager.get(String(Math.floor(Math.random() * TARGETS)));
        await withLock(cache, `job ${number}`, () => cache.set(`key ${number}`, value, HOUR));
        expect(await cache.get(`key ${number}`)).toEqual(value);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      }
    };
    await Promise.all(Array.from({ length: 40 }, (_, number) => worker(number)));
    for (const lock of locks) expect(lock.isHeld()).toBe(true);
    // Every second use is of a target that is not connected.
    expect(manager.stats().evicted).toBeGreaterThan(100);
    expect(manager.stats().connections).toBe(TARGETS / 2);
    for (const lock of locks) expect(await lock.release()).toBe(true);
    await until("the evicted are gone", async () => (await connections()) === TARGETS / 2);
  }, 60_000);

  it("closes idle connections and opens them again", async () => {
    const manager = open({ idleTtlMs: 50 });
    const cache = await manager.get("acme");
    await cache.set("key", value, HOUR);
    await until("the connection is gone", async () => (await connections()) === 0);
    expect(await cache.get("key")).toEqual(value);
    expect(await connections()).toBe(1);
  });

  it("does not remember that a server could not be reached", async () => {
    const port = await freePort();
    const manager = open({ resolve: () => ({ url: `redis://127.0.0.1:${port}` }) });
    const failures: unknown[] = [];
    manager.on("openFailed", ({ error }) => failures.push(error));
    const errors = await Promise.all(["acme", "globex"].map((id) => manager.get(id).catch((error: unknown) => error)));
    for (const error of errors) expect(error).toBeInstanceOf(ConnectionError);
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/^tenant "acme": No connection to 127/), address: `127.0.0.1:${port}` },
      { message: expect.stringMatching(/^tenant "globex": No connection to 127/), cause: failures[0] },
    ]);
    expect(failures).toHaveLength(1);
    expect(manager.stats()).toMatchObject({ tenants: 0, connections: 0, failed: 1 });
    const late = await startServer({ config: { port } });
    await (await manager.get("acme")).set("key", value, HOUR);
    await manager.close();
    await late.stop();
  });

  it("keeps tenants apart that are led to the same keys by other names, users or databases of one server", async () => {
    await server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all");
    const { port } = server;
    const configs: Record<string, string> = {
      acme: `redis://127.0.0.1:${port}`,
      user: `redis://app:secret@127.0.0.1:${port}`,
      name: `redis://localhost:${port}/0`,
      other: `redis://127.0.0.1:${port}/1`,
    };
    const manager = open({ resolve: (tenantId) => ({ url: configs[tenantId] ?? "", keyPrefix: "app:" }) });
    await manager.get("acme");
    await expect(manager.get("user")).rejects.toThrow(ConfigError);
    await expect(manager.get("name")).rejects.toThrow(ConfigError);
    await (await manager.get("other")).set("key", value, HOUR);
    expect(await (await manager.get("acme")).get("key")).toBeUndefined();
  });

  it("writes a configured prefix as it is, and derives one otherwise", async () => {
    const manager = open({
      resolve: (tenantId) => ({
        url: `${server.url}/7`,
        ...(tenantId === "acme" ? { keyPrefix: "app:acme:" } : {}),
      }),
    });
    for (const tenantId of ["acme", "glo:bex"]) await (await manager.get(tenantId)).set("key", value, HOUR);
    const client = server.client();
    await client.select(7);
    expect((await client.keys("*")).sort()).toEqual(["app:acme:key", "tenant:glo%3Abex:key"]);
    await client.quit();
  });

  it("never shows a password: not in an error or what caused it, not on the console", async () => {
    const secret = "hunter2hunter2";
    const shown: unknown[] = [];
    for (const method of ["log", "warn", "error", "info"] as const) {
      vi.spyOn(console, method).mockImplementation((...args) => void shown.push(...args));
    }
    const write = vi.spyOn(process.stderr, "write").mockImplementation((chunk) => {
      shown.push(chunk);
      return true;
    });
    const { port } = server;
    await server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all");
    for (const url of [
      `redis://app:${secret}@127.0.0.1:${port}`,
      `redis://nobody:${secret}@127.0.0.1:${port}`,
      `rediss://app:${secret}@127.0.0.1:${port}`,
      `redis://app:${secret}@127.0.0.1:1`,
    ]) {
      const manager = open({ resolve: () => ({ url }), connectTimeoutMs: 500 });
      manager.on("openFailed", (event) => shown.push(event));
      const error = await manager.get("acme").catch((fault: unknown) => fault);
      expect(error).toBeInstanceOf(ConnectionError);
      shown.push(error, manager.stats());
    }
    write.mockRestore();
    vi.restoreAllMocks();
    const text = shown.map((one) => inspect(one, { depth: 20, showHidden: true })).join("\n");
    expect(text).toContain("ERR_CONNECTION");
    expect(text).not.toContain(secret);
  });
});
