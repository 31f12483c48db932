import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClosedError, OperationError } from "../../../src/cache/errors.ts";
import type { IdempotentContext } from "../../../src/primitives/idempotency/context.ts";
import { IdempotencyInProgressError, IdempotencyLostError } from "../../../src/primitives/idempotency/errors.ts";
import type { IdempotencyEvent } from "../../../src/primitives/idempotency/events.ts";
import { Scope } from "../../../src/primitives/lease/scope.ts";
import { uncaughtDuring } from "../../support/uncaught.ts";
import { follow } from "../lock/world.ts";
import { Bench, leaseKey, type Order, type Process, World } from "./world.ts";

describe("a guarded handler, when the store is at fault", () => {
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
    here.cache.heal();
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
    process.off("unhandledRejection", onUnhandled);
    expect(unhandled.splice(0)).toEqual([]);
  });

  test.each<[event: IdempotencyEvent["type"], provoke: () => Promise<unknown>]>([
    ["claimed", () => here.guard(() => "done")({ id: "1" })],
    ["settled", () => here.guard(() => "done")({ id: "1" })],
    ["result-omitted", () => here.guard(() => () => {})({ id: "1" })],
    [
      "store-error",
      () => {
        here.cache.inject({ fault: "error", operation: "getOrSet", times: 1 });
        return here.guard(() => "done")({ id: "1" });
      },
    ],
    [
      "lost",
      () => {
        const handler = async (_order: Order, { signal }: IdempotentContext): Promise<void> => {
          await world.store().delete(leaseKey("1"));
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        };
        return here
          .guard(handler)({ id: "1" })
          .catch((error) => expect(error).toBeInstanceOf(IdempotencyLostError));
      },
    ],
  ])("an observer that throws at %s disturbs neither the call nor the next one", async (type, provoke) => {
    const fault = new Error("a fault of the observer");
    here.onEvent = (event) => {
      if (event.type === type) throw fault;
    };
    const uncaught = await uncaughtDuring(async () => {
      const provoked = follow(provoke());
      await world.clock.advance(30_000);
      expect(provoked.state()).toBe("fulfilled");
    });
    expect(uncaught).toEqual([fault]);
    here.onEvent = () => {};
    expect(await here.guard(() => "next")({ id: "2" })).toBe("next");
  });

  describe("for the claim", () => {
    test("a claim whose reply was lost is found by its nonce, and does not wait for itself", async () => {
      here.cache.inject({ fault: "lost-reply", operation: "getOrSet", times: 1 });
      const call = here.guard(() => "done").outcome({ id: "1" });
      await world.clock.advance(50);
      expect(await call).toEqual({ outcome: "executed", value: "done" });
    });

    test("a claim that was sent twice is one claim", async () => {
      here.cache.inject({ fault: "duplicate", operation: "getOrSet", times: 1, delayMs: 5 });
      const call = here.guard(() => "done").outcome({ id: "1" });
      await world.clock.advance(10);
      expect(await call).toEqual({ outcome: "executed", value: "done" });
    });

    test('"fail": rejects with the error of the store, within about a second, and nothing has run', async () => {
      const bench = new Bench();
      here.cache.inject({ fault: "error", operation: "getOrSet" });
      const call = expect(here.guard(bench.handler)({ id: "1" })).rejects.toThrow(OperationError);
      await world.clock.advance(2_100);
      await call;
      expect(bench.runs).toHaveLength(0);
      expect(here.cache.count({ operation: "getOrSet" })).toBeGreaterThan(3);
    });

    test('"fail": what the lost claim left behind is taken back', async () => {
      here.cache.inject({ fault: "lost-reply", operation: "getOrSet" });
      const call = expect(here.guard(() => "done")({ id: "1" })).rejects.toThrow(/lost/);
      await world.clock.advance(2_100);
      await call;
      expect(await world.store().get(leaseKey("1"))).toBeUndefined();
    });

    test("a caller that gives up takes its claim back in the background", async () => {
      here.cache.inject({ fault: "hang-reply", operation: "getOrSet", times: 1 });
      const controller = new AbortController();
      const call = expect(here.guard(() => "done")({ id: "1" }, { signal: controller.signal })).rejects.toThrow(
        "enough",
      );
      await world.clock.advance(0);
      expect(await world.recordOf("1")).toMatchObject({ state: "running" });
      controller.abort(new Error("enough"));
      await call;
      here.cache.heal();
      await world.clock.advance(0);
      expect(await world.store().get(leaseKey("1"))).toBeUndefined();
    });

    test("a claim that comes when its caller has gone is used by who has come since", async () => {
      here.cache.inject({ fault: "hang-reply", operation: "getOrSet", times: 1 });
      const guarded = here.guard(() => "done");
      const controller = new AbortController();
      const gone = expect(guarded({ id: "1" }, { signal: controller.signal })).rejects.toThrow();
      await world.clock.advance(0);
      const next = guarded.outcome({ id: "1" });
      await world.clock.advance(0);
      controller.abort();
      await gone;
      here.cache.heal();
      expect(await next).toEqual({ outcome: "executed", value: "done" });
      expect(here.cache.count()).toBe(2);
    });

    test("and is given back if that one's input is another", async () => {
      here.cache.inject({ fault: "hang-reply", operation: "getOrSet", times: 1 });
      const guarded = here.guard(({ amount }) => amount);
      const controller = new AbortController();
      const gone = expect(guarded({ id: "1", amount: 1 }, { signal: controller.signal })).rejects.toThrow();
      await world.clock.advance(0);
      const next = guarded({ id: "1", amount: 2 });
      await world.clock.advance(0);
      controller.abort();
      await gone;
      here.cache.heal();
      await world.clock.advance(0);
      expect(await next).toBe(2);
    });

    test('"run": runs the handler without a claim, once for all callers of this process', async () => {
      let runs = 0;
      here.cache.inject({ fault: "error" });
      const guarded = here.guard(() => ({ run: ++runs }), { whenStoreDown: "run" });
      const calls = [guarded({ id: "1" }), guarded({ id: "1" }), guarded({ id: "1" })];
      await world.clock.advance(2_100);
      const values = await Promise.all(calls);
      expect(values).toEqual([{ run: 1 }, { run: 1 }, { run: 1 }]);
      expect(new Set(values).size).toBe(3);
      expect(here.eventsOf("store-error").length).toBeGreaterThan(0);
      expect(here.eventsOf("lost")).toEqual([]);
    });

    test("a fault that is none of the store's is not waited for", async () => {
      await here.cache.close();
      await expect(here.guard(() => "done", { whenStoreDown: "run" })({ id: "1" })).rejects.toThrow(ClosedError);
    });
  });

  describe("while a duplicate waits", () => {
    test("it goes on waiting within its limit", async () => {
      const bench = new Bench();
      const first = there.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      here.cache.inject({ fault: "error" });
      bench.run.finish("done");
      expect(await first).toBe("done");
      await world.clock.advance(10_000);
      here.cache.heal();
      await world.clock.advance(2_000);
      expect(await second).toBe("done");
    });

    test("and tells of the fault when that limit is over", async () => {
      const bench = new Bench();
      const first = there.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = here.guard(bench.handler)({ id: "1" }, { waitMs: 5_000 });
      const error = second.catch((reason: unknown) => reason);
      await world.clock.advance(0);
      here.cache.inject({ fault: "error" });
      bench.run.finish("done");
      await first;
      await world.clock.advance(5_000);
      expect(await error).toBeInstanceOf(IdempotencyInProgressError);
      expect(await error).toMatchObject({ cause: { code: "ERR_OPERATION" } });
    });
  });

  describe("for the finish", () => {
    test("a finish whose reply was lost is found to have been done", async () => {
      here.cache.inject({ fault: "lost-reply", operation: "compareAndSet", times: 1 });
      const call = here.guard(() => "done").outcome({ id: "1" });
      await world.clock.advance(100);
      expect(await call).toEqual({ outcome: "executed", value: "done" });
      expect(here.eventsOf("lost")).toEqual([]);
    });

    test("a finish that was sent twice is no loss", async () => {
      here.cache.inject({ fault: "duplicate", operation: "compareAndSet", times: 1, delayMs: 5 });
      const call = here.guard(() => "done").outcome({ id: "1" });
      await world.clock.advance(10);
      expect(await call).toEqual({ outcome: "executed", value: "done" });
    });

    test("it is tried again until the claim ends", async () => {
      here.cache.inject({ fault: "error", operation: "compareAndSet" });
      const call = here.guard(() => "done", { leaseTtlMs: 10_000 })({ id: "1" });
      await world.clock.advance(8_000);
      here.cache.heal();
      await world.clock.advance(1_000);
      expect(await call).toBe("done");
      expect(await world.recordOf("1")).toMatchObject({ state: "completed" });
      expect(here.eventsOf("lost")).toEqual([]);
    });

    test.each(["error", "hang"] as const)(
      "then the value is the caller's, for the effect is done, and the loss is an event (%s)",
      async (fault) => {
        here.cache.inject({ fault, operation: "compareAndSet" });
        const guarded = here.guard(() => "done", { leaseTtlMs: 10_000 });
        const calls = [guarded({ id: "1" }), guarded({ id: "1" })];
        await world.clock.advance(11_000);
        expect(await Promise.all(calls)).toEqual(["done", "done"]);
        expect(here.eventsOf("lost")).toMatchObject([{ reason: "unrecorded", attempt: 1 }]);
        here.cache.heal();
        await world.clock.advance(0);
        expect(await there.guard(() => "again")({ id: "1" })).toBe("again");
      },
    );

    test("the signal aborts before anybody else can run, also when the store hangs", async () => {
      const bench = new Bench();
      const call = here.guard(bench.handler, { leaseTtlMs: 3_000 })({ id: "1" });
      call.catch(() => {});
      await world.clock.advance(0);
      let abortedAtMs = Number.NaN;
      bench.run.signal.addEventListener("abort", () => {
        abortedAtMs = world.clock.monotonicMs();
      });
      here.cache.inject({ fault: "hang" });
      let takenOverAtMs = Number.NaN;
      const next = there.guard(() => {
        takenOverAtMs = world.clock.monotonicMs();
      })({ id: "1" });
      await world.clock.advance(5_000);
      await next;
      expect(abortedAtMs).toBeLessThan(takenOverAtMs);
      expect(takenOverAtMs).toBe(3_000);
      here.cache.heal();
      bench.run.finish("zombie");
      await expect(call).rejects.toThrow(IdempotencyLostError);
    });

    test("a claim that vanished from the store aborts the signal at the next heartbeat", async () => {
      const bench = new Bench();
      const call = here.guard(bench.handler, { leaseTtlMs: 3_000 })({ id: "1" });
      call.catch(() => {});
      await world.clock.advance(0);
      await world.store().delete(leaseKey("1"));
      await world.clock.advance(1_000);
      expect(bench.run.signal.reason).toBeInstanceOf(IdempotencyLostError);
      expect(here.eventsOf("lost")).toMatchObject([{ reason: "taken" }]);
      bench.run.finish("done");
      await expect(call).rejects.toMatchObject({ code: "ERR_IDEMPOTENCY_LOST", result: "done" });
      expect(here.eventsOf("lost")).toHaveLength(1);
      expect(here.eventsOf("settled")).toMatchObject([{ outcome: "lost" }]);
    });

    test("a result that comes late is recorded if nobody has claimed the message since", async () => {
      const bench = new Bench();
      const call = here.guard(bench.handler, { leaseTtlMs: 3_000 })({ id: "1" });
      await world.clock.advance(0);
      // So long that the holder does not believe in its lease any more, while the store still does.
      world.clock.block(2_980);
      bench.run.finish("done");
      await world.clock.advance(0);
      expect(await call).toBe("done");
      expect(await there.guard(() => "again")({ id: "1" })).toBe("done");
    });
  });

  describe("when the coordinator is closed", () => {
    test("a run is told, has the rest of its lease, and records its result", async () => {
      const scope = new Scope();
      const bench = new Bench();
      const call = here.guard(bench.handler, { scope, leaseTtlMs: 3_000 })({ id: "1" });
      await world.clock.advance(100);
      const closing = scope.close(new ClosedError("closed"));
      expect(bench.run.signal.reason).toBeInstanceOf(ClosedError);
      await world.clock.advance(2_000);
      bench.run.finish("done");
      await world.clock.advance(0);
      await closing;
      expect(await call).toBe("done");
      expect(await world.recordOf("1")).toMatchObject({ state: "completed" });
    });

    test("close waits no longer than the lease for a handler that does not end", async () => {
      const scope = new Scope();
      const bench = new Bench();
      const call = here.guard(bench.handler, { scope, leaseTtlMs: 3_000 })({ id: "1" });
      call.catch(() => {});
      await world.clock.advance(0);
      let closedAtMs = Number.NaN;
      void scope.close(new ClosedError("closed")).then(() => {
        closedAtMs = world.clock.monotonicMs();
      });
      await world.clock.advance(10_000);
      expect(closedAtMs).toBeLessThan(3_000);
      bench.run.finish("late");
      await expect(call).rejects.toThrow(IdempotencyLostError);
    });

    test("duplicates that wait, here or for another process, get a ClosedError", async () => {
      const bench = new Bench();
      const scope = new Scope();
      const first = there.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = expect(here.guard(bench.handler, { scope })({ id: "1" })).rejects.toThrow(ClosedError);
      await world.clock.advance(0);
      await scope.close(new ClosedError("closed"));
      await second;
      expect(here.cache.stats().watchedKeys).toBe(0);
      await expect(here.guard(bench.handler, { scope })({ id: "1" })).rejects.toThrow(ClosedError);
      bench.run.finish("done");
      await first;
    });

    test("a claim that comes meanwhile is given back before the close is over", async () => {
      const scope = new Scope();
      here.cache.inject({ fault: "delay", operation: "getOrSet", delayMs: 100 });
      const call = expect(here.guard(() => "done", { scope })({ id: "1" })).rejects.toThrow(ClosedError);
      await world.clock.advance(50);
      const closing = scope.close(new ClosedError("closed"));
      await world.clock.advance(50);
      await closing;
      await call;
      expect(await world.store().get(leaseKey("1"))).toBeUndefined();
    });
  });
});
