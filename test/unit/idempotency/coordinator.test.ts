import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Cache } from "../../../src/cache/contract.ts";
import { ClosedError, ConfigError } from "../../../src/cache/errors.ts";
import { createMemoryCache } from "../../../src/cache/memory/index.ts";
import { Coordinator } from "../../../src/coordinator.ts";
import type { IdempotentContext } from "../../../src/primitives/idempotency/context.ts";
import { idempotent } from "../../../src/primitives/idempotency/idempotent.ts";
import { Bench, leaseKey, type Order, World } from "./world.ts";

const options = { name: "ship", key: ({ id }: Order) => id, leaseTtlMs: 3_000 };

describe("the guard of a coordinator", () => {
  let world: World;
  let cache: Cache;
  let hold: Coordinator;

  beforeEach(() => {
    world = new World();
    cache = world.store();
    hold = new Coordinator(cache, { clock: world.clock }, () => cache.close());
  });

  afterEach(async () => {
    await hold.close();
    expect(world.clock.timers, "timers left").toBe(0);
  });

  test("tells of a lost claim", async () => {
    const lost: unknown[] = [];
    hold.on("idempotencyLost", (event) => lost.push(event));
    const bench = new Bench();
    const call = hold.idempotent(bench.handler, options)({ id: "1" });
    const rejected = expect(call).rejects.toMatchObject({ code: "ERR_IDEMPOTENCY_LOST" });
    await world.clock.advance(0);
    await world.store().delete(leaseKey("1"));
    await world.clock.advance(1_000);
    expect(lost).toEqual([{ name: "ship", key: "1", attempt: 1, reason: "taken" }]);
    bench.run.finish("done");
    await rejected;
  });

  test("tells of a result that it could not keep", async () => {
    const omitted: unknown[] = [];
    hold.on("resultOmitted", (event) => omitted.push(event));
    await hold.idempotent(() => "x".repeat(100), { ...options, maxResultBytes: 10 })({ id: "1" });
    expect(omitted).toEqual([{ name: "ship", key: "1", reason: "too-large" }]);
  });

  test("is closed with it: a run that was told to finish is still recorded, and nothing new begins", async () => {
    // The store lasts as long as somebody has it open.
    const store = world.store();
    const bench = new Bench();
    const guarded = hold.idempotent(bench.handler, options);
    const call = guarded({ id: "1" });
    await world.clock.advance(0);
    const closing = hold.close();
    expect(bench.run.signal.reason).toBeInstanceOf(ClosedError);
    await expect(guarded({ id: "2" })).rejects.toThrow(ClosedError);
    bench.run.finish("done");
    expect(await call).toBe("done");
    await closing;
    expect(await world.recordOf("1")).toMatchObject({ state: "completed" });
    await store.close();
  });

  test.each<[what: string, fail: (signal: AbortSignal) => Promise<unknown>]>([
    ["the reason of its signal", (signal) => Promise.reject(signal.reason)],
    ["what a lock of the closed coordinator rejects with", () => hold.acquireLock("job")],
    ["what a message of the closed coordinator rejects with", () => hold.idempotent(() => 1, options)({ id: "2" })],
  ])('closing it makes no result, not even with onError "store", of %s', async (_what, fail) => {
    const store = world.store();
    const stopping = async (_order: Order, { signal }: IdempotentContext): Promise<unknown> => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return await fail(signal);
    };
    const call = hold.idempotent(stopping, { ...options, onError: "store" })({ id: "1" });
    const rejected = expect(call).rejects.toThrow(ClosedError);
    await world.clock.advance(0);
    await hold.close();
    await rejected;
    expect(await world.recordOf("1")).toBeUndefined();
    await store.close();
  });

  test("rejects what waits, and what comes after, with errors that name the message", async () => {
    const bench = new Bench();
    const guarded = hold.idempotent(bench.handler, options);
    const first = guarded({ id: "1" });
    await world.clock.advance(0);
    const second = guarded({ id: "1" });
    const error = { code: "ERR_CLOSED", key: "1", operation: "idempotent", cause: expect.any(ClosedError) };
    const rejected = expect(second).rejects.toMatchObject(error);
    const closing = hold.close();
    await rejected;
    await expect(guarded({ id: "1" })).rejects.toMatchObject(error);
    bench.run.finish("done");
    await Promise.all([first, closing]);
  });

  test("can be closed after a call with a signal that is none", async () => {
    const lock = await hold.acquireLock("job");
    const guarded = hold.idempotent(() => "done", options);
    await expect(guarded({ id: "1" }, { signal: null as unknown as AbortSignal })).rejects.toThrow(ConfigError);
    await hold.close();
    expect(lock.isHeld()).toBe(false);
    await expect(cache.get("key")).rejects.toThrow(ClosedError);
  });

  test("as a free function, finds the cache for each call, and keeps those of different caches apart", async () => {
    const caches = { acme: createMemoryCache(), globex: createMemoryCache() };
    let tenant: keyof typeof caches = "acme";
    let runs = 0;
    const guarded = idempotent(
      () => caches[tenant],
      () => ++runs,
      { ...options, memo: true },
    );
    expect(await guarded({ id: "1" })).toBe(1);
    tenant = "globex";
    expect(await guarded({ id: "1" })).toBe(2);
    tenant = "acme";
    expect(await guarded({ id: "1" })).toBe(1);
  });
});
