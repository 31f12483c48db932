/** What went wrong in published idempotency guards, one test or more each. The numbers are those of docs/lessons.md. */

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  IdempotencyInProgressError,
  IdempotencyLostError,
  IdempotencyMismatchError,
} from "../../../src/primitives/idempotency/errors.ts";
import { fingerprint } from "../../../src/primitives/idempotency/fingerprint.ts";
import { Bench, leaseKey, type Order, type Process, World } from "./world.ts";

describe("lessons about idempotency", () => {
  let world: World;
  let here: Process;
  let there: Process;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    world = new World();
    here = world.process();
    there = world.process();
    process.on("unhandledRejection", onUnhandled);
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  /** A run that loses its claim because its process hears nothing of the store, and goes on all the same. */
  async function zombie(): Promise<{ readonly call: Promise<string>; readonly bench: Bench }> {
    const bench = new Bench();
    const call = here.guard(bench.handler, { leaseTtlMs: 1_000 })({ id: "1" });
    call.catch(() => {});
    await world.clock.advance(0);
    here.cache.inject({ fault: "lost-request" });
    await world.clock.advance(1_100);
    here.cache.heal();
    return { call, bench };
  }

  test("15: a worker that lost its claim does not overwrite one that is running", async () => {
    const { call, bench } = await zombie();
    const second = there.guard(bench.handler)({ id: "1" });
    await world.clock.advance(0);
    expect(bench.runs).toHaveLength(2);
    const live = await world.recordOf("1");

    bench.runs[0]?.finish("zombie");
    await expect(call).rejects.toThrow(IdempotencyLostError);
    await expect(call).rejects.toMatchObject({ result: "zombie", key: "1" });
    expect(await world.recordOf("1")).toEqual(live);

    bench.runs[1]?.finish("done");
    expect(await second).toBe("done");
    expect(await there.guard(bench.handler)({ id: "1" })).toBe("done");
  });

  test("15: a worker that lost its claim does not overwrite a result, nor put one where there is none", async () => {
    const { call, bench } = await zombie();
    await there.guard(() => "done")({ id: "1" });
    bench.run.finish("zombie");
    await expect(call).rejects.toThrow(IdempotencyLostError);
    expect(await there.guard(bench.handler)({ id: "1" })).toBe("done");

    const alone = await zombieOn("2");
    alone.bench.run.finish("zombie");
    await expect(alone.call).rejects.toThrow(IdempotencyLostError);
    expect(await world.recordOf("2")).toBeUndefined();
  });

  async function zombieOn(id: string): Promise<{ readonly call: Promise<string>; readonly bench: Bench }> {
    const bench = new Bench();
    const call = here.guard(bench.handler, { leaseTtlMs: 1_000 })({ id });
    call.catch(() => {});
    await world.clock.advance(0);
    world.clock.block(2_000);
    return { call, bench };
  }

  test("15: a worker whose handler fails after it lost its claim releases nothing", async () => {
    const { call, bench } = await zombie();
    const second = there.guard(bench.handler)({ id: "1" });
    await world.clock.advance(0);
    bench.runs[0]?.fail(new Error("zombie"));
    await expect(call).rejects.toThrow("zombie");
    expect(await world.recordOf("1")).toMatchObject({ state: "running" });
    bench.runs[1]?.finish("done");
    expect(await second).toBe("done");
  });

  test("15: an orphan is taken over by its expiry, not by an overwrite", async () => {
    const bench = new Bench();
    void here
      .guard(bench.handler, { leaseTtlMs: 30_000 })({ id: "1" })
      .catch(() => {});
    await world.clock.advance(0);
    // The worker is gone: nothing that it sends arrives any more.
    here.cache.inject({ fault: "lost-request" });
    const second = there.guard(bench.handler)({ id: "1" }, { waitMs: 60_000 });
    await world.clock.advance(29_999);
    expect(bench.runs).toHaveLength(1);
    await world.clock.advance(1);
    expect(bench.runs).toHaveLength(2);
    bench.run.finish("done");
    expect(await second).toBe("done");
    bench.runs[0]?.finish("zombie");
  });

  test("16: a crash blocks the key for the lease, not for as long as results are kept", async () => {
    const bench = new Bench();
    void here
      .guard(bench.handler, { leaseTtlMs: 5_000, resultTtlMs: 86_400_000 })({ id: "1" })
      .catch(() => {});
    await world.clock.advance(0);
    here.cache.inject({ fault: "lost-request" });
    await world.clock.advance(5_000);
    expect(await there.guard(() => "done")({ id: "1" }, { waitMs: 0 })).toBe("done");
    bench.run.finish("zombie");
  });

  test("16: the retry of a message that failed is run, not dropped", async () => {
    const failing = (): never => {
      throw new Error("no");
    };
    await expect(here.guard(failing)({ id: "1" })).rejects.toThrow("no");
    expect(await there.guard(() => "done").outcome({ id: "1" })).toEqual({ outcome: "executed", value: "done" });
  });

  test("16: the retry of a message that failed while the store did not answer is run when its lease is over", async () => {
    const bench = new Bench();
    const first = here.guard(bench.handler, { leaseTtlMs: 5_000 })({ id: "1" });
    await world.clock.advance(0);
    here.cache.inject({ fault: "hang" });
    bench.run.fail(new Error("no"));
    const rejected = expect(first).rejects.toThrow("no");
    await world.clock.advance(500);
    await rejected;
    const second = there.guard(() => "done")({ id: "1" });
    await world.clock.advance(4_500);
    expect(await second).toBe("done");
    here.cache.heal();
  });

  test("17: a rejected duplicate leaves the owner's record as it is", async () => {
    const bench = new Bench();
    const first = here.guard(bench.handler)({ id: "1", amount: 1 });
    await world.clock.advance(0);
    const before = await world.store().get(leaseKey("1"));
    const reject = { whenInProgress: "reject", onError: "store" } as const;
    await expect(there.guard(bench.handler, reject)({ id: "1", amount: 1 })).rejects.toThrow(
      IdempotencyInProgressError,
    );
    await expect(there.guard(bench.handler, reject)({ id: "1", amount: 2 })).rejects.toThrow(IdempotencyMismatchError);
    expect(await world.store().get(leaseKey("1"))).toEqual(before);
    expect(there.cache.calls.map(({ operation }) => operation)).toEqual(["getOrSet", "getOrSet"]);
    await world.clock.advance(29_000);
    bench.run.finish("done");
    expect(await first).toBe("done");
    expect(await there.guard(bench.handler)({ id: "1", amount: 1 })).toBe("done");
  });

  test("18: the fingerprint does not depend on the order of keys", async () => {
    await here.guard(() => "done")({ id: "1", amount: 1 });
    expect(await there.guard(() => "again")({ amount: 1, id: "1" })).toBe("done");
    expect(
      fingerprint(
        {
          a: { b: 1, c: [2] },
          d: new Map([
            [1, 2],
            [3, 4],
          ]),
        },
        "",
      ),
    ).toEqual(
      fingerprint(
        {
          d: new Map([
            [3, 4],
            [1, 2],
          ]),
          a: { c: [2], b: 1 },
        },
        "",
      ),
    );
  });

  test("18: a handler that changes its input changes neither key nor fingerprint", async () => {
    const guarded = here.guard((order: Order) => {
      Object.assign(order, { id: "other", amount: 99 });
      return "done";
    });
    const input = { id: "1", amount: 1 };
    expect(await guarded(input)).toBe("done");
    expect(input).toEqual({ id: "other", amount: 99 });
    expect(await world.recordOf("other")).toBeUndefined();
    expect(await there.guard(() => "again")({ id: "1", amount: 1 })).toBe("done");
  });

  test("18: the fingerprint is kept with the result", async () => {
    await here.guard(() => "done")({ id: "1", amount: 1 });
    await expect(there.guard(() => "again")({ id: "1", amount: 2 })).rejects.toThrow(IdempotencyMismatchError);
  });

  test("19: of any number of calls at once, in two processes, one runs", async () => {
    const bench = new Bench();
    const guards = [here.guard(bench.handler), there.guard(bench.handler)];
    const calls = Array.from({ length: 100 }, (_, i) => guards[i % 2]?.({ id: "1" }));
    await world.clock.advance(10_000);
    expect(bench.runs).toHaveLength(1);
    bench.run.finish("done");
    expect(await Promise.all(calls)).toEqual(new Array(100).fill("done"));
  });

  test("19: a run without an end in sight is no orphan", async () => {
    const bench = new Bench();
    const first = here.guard(bench.handler, { leaseTtlMs: 1_000 })({ id: "1" });
    await world.clock.advance(0);
    const second = there.guard(bench.handler, { leaseTtlMs: 1_000, waitMs: Number.POSITIVE_INFINITY })({ id: "1" });
    await world.clock.advance(100_000);
    expect(bench.runs).toHaveLength(1);
    bench.run.finish("done");
    expect(await Promise.all([first, second])).toEqual(["done", "done"]);
  });
});
