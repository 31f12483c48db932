import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClosedError, ConfigError, ConnectionError } from "../../../src/cache/errors.ts";
import { createManager, type Manager, type ManagerOptions, type TenantConfig } from "../../../src/manager/index.ts";
import { acquireLock } from "../../../src/primitives/lock/acquire-lock.ts";
import { withLock } from "../../../src/primitives/lock/with-lock.ts";
import { ManualClock } from "../../../src/testing/index.ts";
import { defineKey } from "../../../src/typed/define-key.ts";
import { typed } from "../../../src/typed/typed.ts";
import { staysIsolated } from "./isolation.ts";

const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
const HOUR = 3_600_000;

let clock: ManualClock;
let managers: Manager[];

beforeEach(() => {
  clock = new ManualClock();
  managers = [];
});

afterEach(async () => {
  await Promise.all(managers.map((manager) => manager.close()));
  expect(clock.timers).toBe(0);
});

function open(resolve: ManagerOptions["resolve"], options: Partial<ManagerOptions> = {}): Manager {
  const manager = createManager({ resolve, clock, ...options });
  managers.push(manager);
  return manager;
}

/** Every tenant has a store of its own. */
const apart = (tenantId: string): TenantConfig => ({ url: `memory:${tenantId}` });
const together = (): TenantConfig => ({ url: "memory:" });

/** A `resolve` that does not answer before it is told to. */
function slowly(config: TenantConfig): { resolve: () => Promise<TenantConfig>; answer: () => void; calls: number } {
  const waiting: (() => void)[] = [];
  const slow = {
    calls: 0,
    answer: () => waiting.splice(0).forEach((go) => void go()),
    resolve: () => {
      slow.calls += 1;
      return new Promise<TenantConfig>((done) => waiting.push(() => done(config)));
    },
  };
  return slow;
}

describe("get", () => {
  it("gives one handle per tenant, connected, whoever asks and whenever", async () => {
    const manager = open(together);
    const caches = await Promise.all([manager.get("acme"), manager.get("acme")]);
    caches.push(await manager.get("acme"));
    expect(new Set(caches).size).toBe(1);
    expect(manager.stats()).toMatchObject({ tenants: 1, connections: 1, opened: 1 });
    expect(await manager.get("globex")).not.toBe(caches[0]);
    expect(manager.stats()).toMatchObject({ tenants: 2, connections: 1, opened: 1 });
  });

  it("resolves a tenant once for all who ask at the same time", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve);
    const gets = Promise.all([manager.get("acme"), manager.get("acme"), manager.get("acme")]);
    slow.answer();
    await gets;
    expect(slow.calls).toBe(1);
  });

  it("rejects with what resolve throws, and asks again the next time", async () => {
    let known = false;
    const unknown = new Error("no such tenant");
    const manager = open(() => {
      if (!known) throw unknown;
      return together();
    });
    await expect(manager.get("acme")).rejects.toBe(unknown);
    expect(manager.stats().tenants).toBe(0);
    known = true;
    await manager.get("acme");
  });

  it("ends by a waiter's signal for that waiter only", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve);
    const controller = new AbortController();
    const impatient = manager.get("acme", { signal: controller.signal });
    const patient = manager.get("acme");
    controller.abort(new Error("enough"));
    await expect(impatient).rejects.toThrow("enough");
    slow.answer();
    expect(await patient).toBe(await manager.get("acme"));
    await expect(manager.get("acme", { signal: controller.signal })).rejects.toThrow("enough");
  });

  it("names the tenant whose URL is wrong, and repeats nothing of the URL", async () => {
    const error = await open(() => ({ url: "mysql://user:s3cret@h" }))
      .get("acme")
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toMatch(/^tenant "acme": the connection URL is not usable/);
    expect(inspect(error, { depth: 5 })).not.toContain("s3cret");
  });

  it("refuses what are no options and no signal", async () => {
    const manager = open(together);
    await expect(manager.get("acme", null as never)).rejects.toThrow(ConfigError);
    await expect(manager.get("acme", { signal: null as never })).rejects.toThrow(ConfigError);
  });

  it.each([undefined, null, 42, {}])("refuses %s for a tenant", async (tenantId) => {
    await expect(open(together).get(tenantId as never)).rejects.toThrow(ConfigError);
  });
});

describe("options", () => {
  it.each<[string, Partial<ManagerOptions>]>([
    ["resolve", { resolve: undefined as never }],
    ["maxConnections", { maxConnections: 0 }],
    ["maxConnections", { maxConnections: 1.5 }],
    ["idleTtlMs", { idleTtlMs: -1 }],
    ["operationTimeoutMs", { operationTimeoutMs: 0 }],
    ["connectTimeoutMs", { connectTimeoutMs: Number.NaN }],
    ["maxValueBytes", { maxValueBytes: 0 }],
    ["maxConnections", { maxConnections: null as never }],
    ["idleTtlMs", { idleTtlMs: null as never }],
    ["operationTimeoutMs", { operationTimeoutMs: null as never }],
    ["connectTimeoutMs", { connectTimeoutMs: null as never }],
    ["maxValueBytes", { maxValueBytes: null as never }],
  ])("are checked: %s", (name, options) => {
    expect(() => createManager({ resolve: together, ...options })).toThrow(ConfigError);
    expect(() => createManager({ resolve: together, ...options })).toThrow(name);
  });
});

it.each([undefined, null, 5])("createManager refuses %s with ConfigError", (options) => {
  expect(() => createManager(options as never)).toThrow(ConfigError);
});

describe("an evicted connection", () => {
  it("is opened again by the next operation, unnoticed", async () => {
    const manager = open(apart, { idleTtlMs: 1_000 });
    const cache = await manager.get("acme");
    await cache.set("key", a, HOUR);
    const events: string[] = [];
    manager.on("evicted", ({ address, reason }) => events.push(`${address} evicted: ${reason}`));
    manager.on("opened", ({ address }) => events.push(`${address} opened`));
    await clock.advance(1_000);
    expect(manager.stats()).toMatchObject({ connections: 0, tenants: 1 });
    expect(await cache.get("key")).toEqual(a);
    expect(events).toEqual(["memory:acme evicted: idle", "memory:acme opened"]);
    expect(manager.stats()).toMatchObject({ connections: 1, opened: 2, evicted: 1 });
  });

  it("is resolved again, so that credentials may have changed", async () => {
    const ids: string[] = [];
    const manager = open((id) => {
      ids.push(id);
      return apart(id);
    });
    const cache = await manager.get("acme");
    await manager.get("acme");
    await clock.advance(900_000);
    await cache.health();
    expect(ids).toEqual(["acme", "acme"]);
  });

  it("leaves calls in their order while it is opened, and right after", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve);
    const getting = manager.get("acme");
    slow.answer();
    const cache = await getting;
    await clock.advance(900_000);

    const order: string[] = [];
    const note = (what: string) => (): void => void order.push(what);
    const first = cache.compareAndSet("key", null, a, HOUR).then(note("null → a"));
    const second = cache.compareAndSet("key", a, b, HOUR).then(note("a → b"));
    const third = first.then(() => cache.delete("key")).then(note("deleted"));
    slow.answer();
    await Promise.all([first, second, third]);
    expect(order).toEqual(["null → a", "a → b", "deleted"]);
    expect(await cache.get("key")).toBeUndefined();
  });

  it("gets the bytes that were given, whatever becomes of them meanwhile", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve);
    const getting = manager.get("acme");
    slow.answer();
    const cache = await getting;
    await clock.advance(900_000);
    const value = Uint8Array.of(7);
    const setting = cache.set("key", value, HOUR);
    value[0] = 8;
    slow.answer();
    await setting;
    expect(await cache.get("key")).toEqual(Uint8Array.of(7));
  });

  it("is waited for no longer than an operation may take; what waited in vain is never sent", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve, { operationTimeoutMs: 500 });
    const getting = manager.get("acme");
    slow.answer();
    const cache = await getting;
    await clock.advance(900_000);
    const setting = cache.set("key", a, HOUR).catch((error: unknown) => error);
    await clock.advance(500);
    const error = await setting;
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ key: "key", operation: "set", message: expect.stringContaining('"acme"') });
    slow.answer();
    const reading = cache.get("key");
    slow.answer();
    expect(await reading).toBeUndefined();
    expect(cache.stats()).toMatchObject({ errors: 1, inFlight: 0 });
  });

  it("is a store at fault for those in the middle of something, if resolve fails now", async () => {
    let fails = false;
    const manager = open((id) => {
      if (fails) throw new Error("the directory is down");
      return apart(id);
    });
    const cache = await manager.get("acme");
    await clock.advance(900_000);
    fails = true;
    await expect(cache.get("key")).rejects.toMatchObject({
      code: "ERR_CONNECTION",
      cause: { message: "the directory is down" },
    });
    fails = false;
    expect(await cache.get("key")).toBeUndefined();
  });
});

describe("a connection in use", () => {
  it("is kept by an active watch", async () => {
    const manager = open(apart, { idleTtlMs: 1_000 });
    const cache = await manager.get("acme");
    let changes = 0;
    const unwatch = await cache.watch("key", () => {
      changes += 1;
    });
    await clock.advance(60_000);
    expect(manager.stats()).toMatchObject({ connections: 1, idle: 0, evicted: 0 });
    await cache.compareAndSet("key", null, a, HOUR);
    await clock.advance(0);
    expect(changes).toBe(1);
    await unwatch();
    await unwatch();
    await clock.advance(1_000);
    expect(manager.stats()).toMatchObject({ connections: 0, evicted: 1 });
  });

  it("is kept by a held lock, whatever its TTL and however often it is renewed", async () => {
    const manager = open(apart, { idleTtlMs: 1_000, maxConnections: 1 });
    const cache = await manager.get("acme");
    for (const options of [{ ttlMs: 30_000 }, { ttlMs: 30_000, renew: false }]) {
      const lock = await acquireLock(cache, "invoice", { ...options, clock });
      await clock.advance(20_000);
      await (await manager.get("globex")).set("key", a, HOUR);
      expect(manager.stats()).toMatchObject({ connections: 1, idle: 0 });
      expect(lock.isHeld()).toBe(true);
      expect(await lock.release()).toBe(true);
    }
    await clock.advance(1_000);
    expect(manager.stats().connections).toBe(0);
  });

  it("is let go when the lock is lost", async () => {
    const manager = open(apart, { idleTtlMs: 1_000 });
    const cache = await manager.get("acme");
    const lock = await acquireLock(cache, "invoice", { ttlMs: 3_000, renew: false, clock });
    await clock.advance(3_000);
    expect(lock.signal.aborted).toBe(true);
    await clock.advance(1_000);
    expect(manager.stats().connections).toBe(0);
  });

  it("is kept while a lock is waited for, and the waiter gets it", async () => {
    const manager = open(together, { idleTtlMs: 100 });
    const cache = await manager.get("acme");
    const lock = await acquireLock(cache, "invoice", { clock });
    const next = withLock(cache, "invoice", () => "mine", { waitMs: 60_000, clock });
    await clock.advance(30_000);
    await lock.release();
    expect(await next).toBe("mine");
  });
});

describe("close", () => {
  it("ends everything for good", async () => {
    const manager = open(together);
    const cache = await manager.get("acme");
    await manager.close();
    await manager.close();
    await expect(manager.get("acme")).rejects.toThrow(ClosedError);
    await expect(manager.run("acme", () => 1)).rejects.toThrow(ClosedError);
    await expect(cache.get("key")).rejects.toThrow(ClosedError);
    await expect(cache.watch("key", () => {})).rejects.toThrow(ClosedError);
    expect(cache.stats().state).toBe("closed");
    expect(manager.stats()).toMatchObject({ state: "closed", tenants: 0, connections: 0, opening: 0 });
  });

  it("waits for operations under way, even those that wait for their connection", async () => {
    const slow = slowly({ url: "memory:left" });
    const manager = open(slow.resolve);
    const getting = manager.get("acme");
    slow.answer();
    const cache = await getting;
    await clock.advance(900_000);
    const setting = cache.set("key", a, HOUR);
    let closed = false;
    const closing = manager.close().then(() => {
      closed = true;
    });
    await clock.advance(0);
    expect(closed).toBe(false);
    await expect(cache.get("key")).rejects.toThrow(ClosedError);
    slow.answer();
    await setting;
    await closing;
    expect(manager.stats()).toMatchObject({ connections: 0, opening: 0 });
  });

  it("rejects those who wait for a handle, and closes what is opened for them", async () => {
    const slow = slowly({ url: "memory:" });
    const manager = open(slow.resolve);
    const getting = manager.get("acme");
    getting.catch(() => {});
    await manager.close();
    await expect(getting).rejects.toThrow(ClosedError);
    slow.answer();
    await clock.advance(0);
    expect(manager.stats()).toMatchObject({ connections: 0, opening: 0, opened: 0 });
  });

  it("ends watches", async () => {
    const other = open(() => ({ url: "memory:watched" }));
    const manager = open(() => ({ url: "memory:watched" }));
    let changes = 0;
    await (await manager.get("acme")).watch("key", () => {
      changes += 1;
    });
    await manager.close();
    await (await other.get("acme")).compareAndSet("key", null, a, HOUR);
    await clock.advance(0);
    expect(changes).toBe(0);
  });

  it("of a handle ends that handle; the tenant gets another one", async () => {
    const manager = open(together);
    const cache = await manager.get("acme");
    await cache.set("key", a, HOUR);
    await cache.close();
    await expect(cache.get("key")).rejects.toThrow(ClosedError);
    const next = await manager.get("acme");
    expect(next).not.toBe(cache);
    expect(await next.get("key")).toEqual(a);
    expect(manager.stats().opened).toBe(1);
  });
});

describe("run", () => {
  it("tells all that is called from it which tenant it is for", async () => {
    const manager = open(together);
    expect(manager.currentTenant).toBeUndefined();
    await expect(manager.current()).rejects.toThrow(ConfigError);
    const seen = await Promise.all(
      ["acme", "globex"].map((tenantId) =>
        manager.run(tenantId, async () => {
          await clock.advance(1);
          return [manager.currentTenant, await manager.current()];
        }),
      ),
    );
    expect(seen).toEqual([
      ["acme", await manager.get("acme")],
      ["globex", await manager.get("globex")],
    ]);
  });

  it("can be nested, and passes on what the work throws", async () => {
    const manager = open(together);
    const inner = manager.run("acme", () => manager.run("globex", async () => manager.currentTenant));
    expect(await inner).toBe("globex");
    await expect(manager.run("acme", () => Promise.reject(new Error("boom")))).rejects.toThrow("boom");
    await expect(manager.run("acme", 5 as never)).rejects.toThrow(ConfigError);
  });

  it("finds the cache of each call of a primitive or a typed key", async () => {
    const manager = open(together);
    const notes = typed(() => manager.current(), defineKey("note:{id}", { ttlMs: HOUR }));
    await manager.run("acme", () => notes.set({ id: "1" }, "acme's"));
    expect(await manager.run("globex", () => notes.get({ id: "1" }))).toBeUndefined();
    expect(await manager.run("acme", () => notes.get({ id: "1" }))).toBe("acme's");
    await manager.run("acme", () =>
      withLock(
        () => manager.current(),
        "invoice",
        async () => {
          const other = manager.run("globex", () =>
            withLock(
              () => manager.current(),
              "invoice",
              () => "free",
              { waitMs: 0, clock },
            ),
          );
          expect(await other).toBe("free");
        },
        { clock },
      ),
    );
  });

  it("does not leak to what a connection calls back for others", async () => {
    const manager = open(together);
    const tenants: (string | undefined)[] = [];
    manager.on("opened", () => tenants.push(manager.currentTenant));
    const globex = await manager.run("acme", () => manager.get("globex"));
    await manager.run("globex", () => globex.watch("key", () => tenants.push(manager.currentTenant)));
    await manager.run("acme", () => globex.compareAndSet("key", null, a, HOUR));
    await clock.advance(0);
    expect(tenants).toEqual([undefined, "globex"]);
  });
});

describe("isolation", () => {
  it("refuses two tenants with the same keys, at the same time or one after the other", async () => {
    const same = (): TenantConfig => ({ url: "memory:shared", keyPrefix: "app:" });
    const manager = open(same);
    const outcomes = await Promise.allSettled([manager.get("acme"), manager.get("globex")]);
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await clock.advance(900_000);
    await expect(manager.get("globex")).rejects.toThrow(ConfigError);
    await (await manager.get("acme")).health();
    expect(manager.stats()).toMatchObject({ tenants: 1, idle: 1 });
  });

  it("never tells a secret when it refuses something", async () => {
    const secret = "hunter2hunter2";
    const configs: TenantConfig[] = [
      { url: `redis://u:${secret}@127.0.0.1:x` },
      { url: `http://${secret}` },
      { redis: { host: "", password: secret } },
      { url: `redis://u:${secret}@127.0.0.1:1/0` },
    ];
    for (const config of configs) {
      const manager = open(() => config, { clock: undefined as never });
      const error = await manager.get("acme").catch((fault: unknown) => fault);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    }
  });

  it("lets no operation of one tenant be seen by another, whatever their ids and keys, evictions in between", async () => {
    const resolve = (tenantId: string): TenantConfig => ({ url: `memory:${tenantId.length % 2}` });
    await staysIsolated({
      open: () => open(resolve, { maxConnections: 1 }),
      evict: () => clock.advance(900_000),
      numRuns: 150,
    });
  });
});
