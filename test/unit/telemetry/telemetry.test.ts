import { SpanStatusCode } from "@opentelemetry/api";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Coordinator } from "../../../src/coordinator.ts";
import { createManager } from "../../../src/manager/index.ts";
import { instrument, telemetry } from "../../../src/telemetry/index.ts";
import { FaultyCache, ManualClock } from "../../../src/testing/index.ts";
import { type Sdk, startSdk } from "./sdk.ts";

const NAME = "a-name-that-no-metric-may-show";
const value = Uint8Array.of(1);
const HOUR = 3_600_000;

let clock: ManualClock;
let store: FaultyCache;
let sdk: Sdk | undefined;
let holds: Coordinator[];

beforeEach(() => {
  clock = new ManualClock();
  store = new FaultyCache(createMemoryCache({ clock }), { clock });
  holds = [];
});

afterEach(async () => {
  await Promise.all(holds.map((hold) => hold.close()));
  await store.close();
  await sdk?.stop();
  sdk = undefined;
});

function start(): Sdk {
  sdk = startSdk();
  return sdk;
}

function open(cache: Cache = store): Coordinator {
  const hold = new Coordinator(cache, { clock, telemetry: telemetry() });
  holds.push(hold);
  return hold;
}

async function inTime<T>(ms: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return promise;
}

describe("telemetry", () => {
  it("measures from when an SDK is started, and not before", async () => {
    const cache = instrument(store);
    await cache.get(NAME);
    const { value: count, stop } = start();
    await cache.get(NAME);
    expect(await count("db.client.operation.duration")).toBe(1);
    await stop();
    await cache.get(NAME);
    const second = start();
    await cache.get(NAME);
    expect(await second.value("db.client.operation.duration")).toBe(1);
  });

  it("never makes a key an attribute of a metric", async () => {
    const { everything } = start();
    const hold = open();
    await hold.cache.set(NAME, value, HOUR);
    await hold.withLock(NAME, () => hold.tryAcquireLock(NAME));
    await hold.idempotent(async () => 1, { name: "ship", key: () => NAME })(undefined);
    const term = await hold.election(NAME).campaign();
    store.inject({ fault: "error", operation: "compareAndSet", times: 1 });
    await clock.advance(10_000);
    await hold.cache.get("").catch(() => {});
    const text = await everything();
    await term.resign();
    for (const metric of ["db.client", "lock.wait", "lease.renewals", "idempotency.requests", "leader.state"]) {
      expect(text).toContain(metric);
    }
    expect(text).not.toContain(NAME);
  });

  it("measures every store operation by name, with its error", async () => {
    const { series } = start();
    const cache = instrument(store);
    await cache.set(NAME, value, HOUR);
    await cache.get(NAME);
    await cache.get(NAME);
    await cache.getOrSet(NAME, value, HOUR);
    await cache.compareAndSet(NAME, value, null);
    await cache.delete(NAME);
    await (await cache.watch(NAME, () => {}))();
    await cache.health();
    store.inject({ fault: "error" });
    await cache.get(NAME).catch(() => {});
    const counts = (await series("db.client.operation.duration")).map(({ attributes, value: count }) => ({
      ...attributes,
      count,
    }));
    const of = (operation: string, count: number): object => ({
      "db.system.name": "memory",
      "db.operation.name": operation,
      count,
    });
    expect(counts).toEqual([
      of("set", 1),
      of("get", 2),
      of("getOrSet", 1),
      of("compareAndSet", 1),
      of("delete", 1),
      of("watch", 1),
      of("health", 1),
      { ...of("get", 1), "error.type": expect.stringMatching(/^ERR_/) },
    ]);
  });

  it("measures locks: waits, holds and how attempts ended", async () => {
    const { series, value: count } = start();
    const hold = open();
    const lock = await hold.acquireLock(NAME);
    await hold.tryAcquireLock(NAME);
    await inTime(2_000, hold.acquireLock(NAME, { waitMs: 2_000 })).catch(() => {});
    const controller = new AbortController();
    const aborted = hold.acquireLock(NAME, { signal: controller.signal });
    await clock.advance(0);
    controller.abort();
    await aborted.catch(() => {});
    await clock.advance(1_000);
    await lock.release();

    for (const outcome of ["acquired", "occupied", "timeout", "aborted"]) {
      expect(await count("holdfast.lock.acquisitions", { outcome }), outcome).toBe(1);
    }
    expect(await series("holdfast.lock.wait.duration")).toContainEqual({
      attributes: { outcome: "timeout" },
      value: 1,
      sum: 2,
    });
    expect(await series("holdfast.lock.hold.duration")).toEqual([
      { attributes: { outcome: "released" }, value: 1, sum: 3 },
    ]);
  });

  it("measures renewals and losses", async () => {
    const { value: count } = start();
    const lock = await open().acquireLock(NAME, { ttlMs: 3_000 });
    await clock.advance(2_500);
    expect(await count("holdfast.lease.renewals", { kind: "lock", outcome: "renewed" })).toBe(2);
    store.inject({ fault: "hang" });
    await clock.advance(3_000);
    expect(lock.isHeld()).toBe(false);
    expect(await count("holdfast.lease.lost", { kind: "lock", reason: "expired" })).toBe(1);
    store.heal();
    await lock.release();
  });

  it("measures guarded handlers by how their calls ended, without the time of the handler", async () => {
    const { series, value: count } = start();
    const ship = open().idempotent(
      async (order: { id: string; fails?: boolean }) => {
        await new Promise<void>((resolve) => clock.setTimer(resolve, 5_000));
        if (order.fails) throw new Error("boom");
        return "shipped";
      },
      { name: "ship", key: ({ id }) => id },
    );
    await inTime(5_000, ship({ id: NAME }));
    await ship({ id: NAME });
    await inTime(5_000, ship({ id: "other", fails: true })).catch(() => {});
    for (const outcome of ["executed", "replayed", "failed"]) {
      expect(await count("holdfast.idempotency.requests", { name: "ship", outcome }), outcome).toBe(1);
    }
    for (const { sum } of await series("holdfast.idempotency.duration")) expect(sum).toBeLessThan(1);
  });

  it("tells how many elections this process leads", async () => {
    const { value: count } = start();
    const hold = open();
    const [a, b] = [await hold.election("a").campaign(), await hold.election("b").campaign()];
    expect(await count("holdfast.leader.state")).toBe(2);
    await a.resign();
    expect(await count("holdfast.leader.state")).toBe(1);
    store.inject({ fault: "hang" });
    await clock.advance(20_000);
    expect(await count("holdfast.leader.state")).toBe(0);
    store.heal();
    await b.resign();
    expect(await count("holdfast.leader.state")).toBe(0);
  });

  it("tells of a manager's connections until it is closed", async () => {
    const { value: count } = start();
    const manager = createManager({
      resolve: (tenantId) => ({ url: tenantId === "bad" ? "redis://127.0.0.1:1" : `memory:${tenantId}` }),
      maxConnections: 2,
      clock,
      connectTimeoutMs: 1,
      telemetry: telemetry(),
    });
    const acme = await manager.get("acme");
    const unwatch = await acme.watch(NAME, () => {});
    await manager.get("globex");
    await manager.get("initech");
    expect(await count("holdfast.manager.connections", { state: "used" })).toBe(1);
    expect(await count("holdfast.manager.connections", { state: "idle" })).toBe(1);
    expect(await count("holdfast.manager.openings", { outcome: "opened" })).toBe(3);
    expect(await count("holdfast.manager.evictions", { reason: "limit" })).toBe(1);
    expect(await count("db.client.operation.duration", { "db.operation.name": "watch" })).toBe(1);
    await unwatch();
    await manager.close();
    expect(await count("holdfast.manager.connections")).toBe(0);
  });

  describe("spans", () => {
    it("tell of waits and holds of locks, under what the caller does", async () => {
      const { under, spans } = start();
      const hold = open();
      await under("request", () => hold.withLock(NAME, () => clock.advance(1_000)));
      const [request] = spans("request");
      const [wait] = spans("holdfast.lock.wait");
      const [held] = spans("holdfast.lock.hold");
      expect(wait?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
      expect(held?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
      expect(wait?.attributes).toMatchObject({ "holdfast.lock.name": NAME, "holdfast.outcome": "acquired" });
      expect(held?.attributes["holdfast.fencing_token"]).toBe(wait?.attributes["holdfast.fencing_token"]);
      expect(held?.duration[0]).toBe(1);
      expect(held?.status.code).toBe(SpanStatusCode.UNSET);
    });

    it("tell what went wrong", async () => {
      const { spans } = start();
      const hold = open();
      const lock = await hold.acquireLock(NAME, { ttlMs: 1_000, renew: false });
      await inTime(500, hold.acquireLock(NAME, { waitMs: 500 })).catch(() => {});
      await clock.advance(500);
      await lock.release();
      const failed = spans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
      expect(failed.map(({ name, status }) => [name, status.message])).toEqual([
        ["holdfast.lock.wait", "timeout"],
        ["holdfast.lock.hold", "lost"],
      ]);
    });

    it("tell of each run of a guarded handler, not of its duplicates", async () => {
      const { spans } = start();
      const ship = open().idempotent(async () => "shipped", { name: "ship", key: () => NAME });
      await Promise.all([ship(undefined), ship(undefined)]);
      await ship(undefined);
      expect(spans("holdfast.idempotency.run").map(({ attributes }) => attributes)).toEqual([
        {
          "holdfast.idempotency.name": "ship",
          "holdfast.idempotency.key": NAME,
          "holdfast.idempotency.attempt": 1,
          "holdfast.outcome": "executed",
        },
      ]);
    });

    it("tell of terms of leadership", async () => {
      const { spans } = start();
      const term = await open().election(NAME).campaign();
      await clock.advance(7_000);
      await term.resign();
      const [span] = spans("holdfast.leader.term");
      expect(span?.attributes).toMatchObject({ "holdfast.election.name": NAME, "holdfast.outcome": "released" });
      expect(span?.duration[0]).toBe(7);
    });
  });
});
