import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConfigError } from "../../../src/cache/errors.ts";
import {
  IdempotencyInProgressError,
  IdempotencyLostError,
  IdempotencyMismatchError,
  IdempotencyResultError,
} from "../../../src/primitives/idempotency/errors.ts";
import { Bench, leaseKey, type Order, type Process, World } from "./world.ts";

describe("a guarded handler", () => {
  let world: World;
  let here: Process;
  let there: Process;

  beforeEach(() => {
    world = new World();
    here = world.process();
    there = world.process();
  });

  afterEach(async () => {
    await world.clock.advance(120_000);
    expect(world.clock.timers, "timers left").toBe(0);
    expect(here.cache.stats().watchedKeys + there.cache.stats().watchedKeys, "watches left").toBe(0);
  });

  test("is called like the handler, and runs once per message", async () => {
    let runs = 0;
    const guarded = here.guard(async ({ amount = 0 }) => amount + ++runs);
    expect(await guarded({ id: "1", amount: 10 })).toBe(11);
    expect(await guarded({ id: "1", amount: 10 })).toBe(11);
    expect(await guarded({ id: "2", amount: 20 })).toBe(22);
    expect(runs).toBe(2);
  });

  test("may be synchronous", async () => {
    const guarded = here.guard(({ id }) => id.toUpperCase());
    expect(await guarded({ id: "a" })).toBe("A");
    await expect(
      here.guard(
        () => {
          throw new TypeError("no");
        },
        { name: "bill" },
      )({ id: "a" }),
    ).rejects.toThrow(TypeError);
  });

  test("costs two operations for the first delivery and one for a duplicate, in any process", async () => {
    const handler = (): string => "done";
    expect(await here.guard(handler).outcome({ id: "1" })).toEqual({ outcome: "executed", value: "done" });
    expect(here.cache.calls.map(({ operation }) => operation)).toEqual(["getOrSet", "compareAndSet"]);
    expect(await there.guard(handler).outcome({ id: "1" })).toEqual({ outcome: "replayed", value: "done" });
    expect(there.cache.calls.map(({ operation }) => operation)).toEqual(["getOrSet"]);
  });

  test("replays undefined, dates, maps, sets, bigints and bytes as they were", async () => {
    const results = new Map<string, unknown>([
      ["undefined", undefined],
      ["null", null],
      ["date", new Date(1_700_000_000_123)],
      ["map", new Map<unknown, unknown>([[1, { a: [1, -0, Number.NaN] }]])],
      ["set", new Set([1n, 2n])],
      ["bytes", new Uint8Array([0, 255])],
      ["object", { nested: { at: new Date(0), missing: undefined } }],
    ]);
    const guarded = here.guard(({ id }) => results.get(id));
    for (const [id, value] of results) {
      await guarded({ id });
      expect(await there.guard(() => "not again").outcome({ id })).toStrictEqual({ outcome: "replayed", value });
    }
  });

  test("keeps messages of different names and keys apart, however they are spelled", async () => {
    const pairs = [
      ["a", "b:c"],
      ["a:b", "c"],
      ["a%3Ab", "c"],
      ["a", "b%3Ac"],
      ["{a}", "b"],
      ["a", "{b}"],
      ["a", "b"],
      ["%7Ba%7D", "b"],
    ] as const;
    for (const [name, id] of pairs) {
      expect(await here.guard(() => `${name} ${id}`, { name })({ id })).toBe(`${name} ${id}`);
    }
  });

  test("refuses a key that is used for another input, while the handler runs and after it", async () => {
    const bench = new Bench();
    const first = here.guard(bench.handler)({ id: "1", amount: 1 });
    await world.clock.advance(0);
    const other = { id: "1", amount: 2 };
    await expect(there.guard(bench.handler)(other)).rejects.toThrow(IdempotencyMismatchError);
    await expect(here.guard(bench.handler)(other)).rejects.toThrow(IdempotencyMismatchError);
    bench.run.finish("done");
    expect(await first).toBe("done");
    await expect(there.guard(bench.handler)(other)).rejects.toThrow(/"ship", key "1": this key was used for another/);
    expect(await there.guard(bench.handler)({ id: "1", amount: 1 })).toBe("done");
    expect(bench.runs).toHaveLength(1);
  });

  test("names the message whose input cannot be compared", async () => {
    const input = { id: "1", ship: () => {} } as Order;
    const error = {
      code: "ERR_CODEC",
      operation: "fingerprint",
      key: "1",
      message: expect.stringContaining("value.ship"),
    };
    await expect(here.guard(() => "done")(input)).rejects.toMatchObject(error);
  });

  test("compares only what the fingerprint option picks, or nothing", async () => {
    const byAmount = { fingerprint: (order: Order) => order.amount };
    await here.guard(() => "done", byAmount)({ id: "1", amount: 1 });
    expect(await there.guard(() => "", byAmount)({ id: "1", amount: 1, note: "x" } as Order)).toBe("done");
    await expect(there.guard(() => "", byAmount)({ id: "1", amount: 2 })).rejects.toThrow(IdempotencyMismatchError);
    expect(await there.guard(() => "", { fingerprint: false })({ id: "1", amount: 2 })).toBe("done");
  });

  describe("while the handler runs", () => {
    test("a duplicate waits, and is woken when it is done", async () => {
      const bench = new Bench();
      const first = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = there.guard(bench.handler).outcome({ id: "1" });
      await world.clock.advance(500);
      bench.run.finish("done");
      // In no time: a poll would take time.
      await world.clock.advance(0);
      expect(await first).toBe("done");
      expect(await second).toEqual({ outcome: "replayed", value: "done" });
      expect(there.cache.count({ operation: "getOrSet" })).toBe(3);
    });

    test("a duplicate also gets the result when no hint arrives", async () => {
      there.cache.inject({ fault: "mute", operation: "watch" });
      const bench = new Bench();
      void here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = there.guard(bench.handler)({ id: "1" });
      await world.clock.advance(100);
      bench.run.finish("done");
      await world.clock.advance(7_000);
      expect(await second).toBe("done");
    });

    test("a duplicate that may not watch polls", async () => {
      there.cache.inject({ fault: "error", operation: "watch" });
      const bench = new Bench();
      void here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const second = there.guard(bench.handler)({ id: "1" });
      await world.clock.advance(1_000);
      bench.run.finish("done");
      await world.clock.advance(125);
      expect(await second).toBe("done");
      expect(there.cache.count({ operation: "getOrSet" })).toBeLessThan(15);
    });

    test('"reject" rejects at once, with a hint when to ask again', async () => {
      const bench = new Bench();
      const first = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(3_000);
      const guarded = there.guard(bench.handler, { whenInProgress: "reject" });
      const error = await guarded({ id: "1" }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(IdempotencyInProgressError);
      expect(error).toMatchObject({ key: "1", code: "ERR_IDEMPOTENCY_IN_PROGRESS", retryAfterMs: 3_000 });
      await expect(here.guard(bench.handler, { whenInProgress: "reject" })({ id: "1" })).rejects.toThrow(
        IdempotencyInProgressError,
      );
      bench.run.finish("done");
      await first;
    });

    test("a duplicate waits no longer than waitMs, and leaves nothing behind", async () => {
      const bench = new Bench();
      const first = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      const late = there.guard(bench.handler, { waitMs: 2_000 })({ id: "1" });
      const rejected = expect(late).rejects.toThrow(/still was after 2000 ms/);
      await world.clock.advance(1_999);
      expect(there.cache.stats().watchedKeys).toBe(1);
      await world.clock.advance(1);
      await rejected;
      expect(there.cache.stats().watchedKeys).toBe(0);
      bench.run.finish("done");
      expect(await first).toBe("done");
    });

    test("a call may have a wait limit and a signal of its own", async () => {
      const bench = new Bench();
      const guarded = here.guard(bench.handler);
      const first = guarded({ id: "1" });
      await world.clock.advance(0);
      await expect(guarded({ id: "1" }, { waitMs: 0 })).rejects.toThrow(IdempotencyInProgressError);
      const controller = new AbortController();
      const aborted = expect(guarded({ id: "1" }, { signal: controller.signal })).rejects.toThrow("enough");
      const patient = guarded({ id: "1" });
      controller.abort(new Error("enough"));
      await aborted;
      await expect(guarded({ id: "1" }, { signal: controller.signal })).rejects.toThrow("enough");
      bench.run.finish("done");
      expect(await Promise.all([first, patient])).toEqual(["done", "done"]);
      expect(bench.run.signal.aborted).toBe(false);
    });

    test("a signal does not end a run that has begun", async () => {
      const bench = new Bench();
      const controller = new AbortController();
      const call = here.guard(bench.handler)({ id: "1" }, { signal: controller.signal });
      await world.clock.advance(0);
      controller.abort();
      await world.clock.advance(0);
      bench.run.finish("done");
      expect(await call).toBe("done");
    });

    test("a run longer than the lease keeps its claim", async () => {
      const bench = new Bench();
      const first = here.guard(bench.handler, { leaseTtlMs: 1_000 })({ id: "1" });
      await world.clock.advance(60_000);
      expect(bench.run.signal.aborted).toBe(false);
      await expect(there.guard(bench.handler)({ id: "1" }, { waitMs: 0 })).rejects.toThrow(IdempotencyInProgressError);
      bench.run.finish("done");
      expect(await first).toBe("done");
    });

    test("but not beyond maxRunMs", async () => {
      const bench = new Bench();
      const hung = here.guard(bench.handler, { leaseTtlMs: 1_000, maxRunMs: 5_000 })({ id: "1" });
      await world.clock.advance(0);
      const next = there.guard(bench.handler)({ id: "1" });
      const same = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(4_990);
      expect(bench.run.signal.aborted).toBe(false);
      await world.clock.advance(20);
      expect(bench.run.signal.reason).toBeInstanceOf(IdempotencyLostError);
      expect(here.eventsOf("lost")).toMatchObject([{ name: "ship", key: "1", attempt: 1, reason: "max-hold" }]);
      await world.clock.advance(1_000);
      expect(bench.runs).toHaveLength(2);
      expect(bench.run.attempt).toBe(2);
      bench.run.finish("second");
      expect(await next).toBe("second");
      expect(await same).toBe("second");
      bench.runs[0]?.finish("first");
      await expect(hung).rejects.toThrow(IdempotencyLostError);
      await expect(hung).rejects.toMatchObject({ result: "first" });
    });
  });

  describe("when the handler throws", () => {
    const boom = Object.assign(new RangeError("out of stock"), { code: "E_STOCK", left: 0n });

    test('"release": the error is the caller\'s, and the next delivery runs', async () => {
      let runs = 0;
      const guarded = here.guard(async () => {
        runs += 1;
        if (runs === 1) throw boom;
        return runs;
      });
      await expect(guarded({ id: "1" })).rejects.toBe(boom);
      expect(await world.recordOf("1")).toBeUndefined();
      expect(await guarded({ id: "1" })).toBe(2);
    });

    test('"release": a waiting duplicate runs at once, as the next attempt', async () => {
      const bench = new Bench();
      const first = expect(here.guard(bench.handler)({ id: "1" })).rejects.toBe(boom);
      await world.clock.advance(0);
      const second = there.guard(bench.handler).outcome({ id: "1" });
      await world.clock.advance(0);
      bench.run.fail(boom);
      await first;
      await world.clock.advance(0);
      expect(bench.run.attempt).toBe(2);
      bench.run.finish("done");
      expect(await second).toEqual({ outcome: "executed", value: "done" });
    });

    test('"store": the error is the result, and is replayed as far as data can be', async () => {
      let runs = 0;
      const handler = (): never => {
        runs += 1;
        throw boom;
      };
      await expect(here.guard(handler, { onError: "store" })({ id: "1" })).rejects.toBe(boom);
      const replayed = await there
        .guard(handler)({ id: "1" })
        .catch((reason: unknown) => reason);
      expect(replayed).toBeInstanceOf(RangeError);
      expect(replayed).not.toBe(boom);
      expect(replayed).toMatchObject({ message: "out of stock", code: "E_STOCK", left: 0n, replayed: true });
      expect(boom).not.toHaveProperty("replayed");
      expect(runs).toBe(1);
      expect(there.eventsOf("settled")).toMatchObject([{ outcome: "replayed" }]);
    });

    test.each<[how: string, pass: (reason: unknown) => unknown]>([
      ["as it is", (reason) => reason],
      ["as a cause", (reason) => new Error("not shipped", { cause: new DOMException("aborted", { cause: reason }) })],
    ])('"store": that its time was over is no result; the reason of its signal %s', async (_how, pass) => {
      const bench = new Bench();
      const options = { leaseTtlMs: 1_000, maxRunMs: 2_000, onError: "store" } as const;
      const lost = here.guard(bench.handler, options)({ id: "1" });
      const rejected = expect(lost).rejects.toThrow();
      await world.clock.advance(2_000);
      bench.run.fail(pass(bench.run.signal.reason));
      await rejected;
      await world.clock.advance(1_000);
      expect(await there.guard(() => "shipped", options)({ id: "1" })).toBe("shipped");
    });

    test('"store": what else a run fails with after its signal has aborted is a result', async () => {
      const bench = new Bench();
      const late = here.guard(bench.handler, { leaseTtlMs: 1_000, maxRunMs: 2_000, onError: "store" })({ id: "1" });
      const rejected = expect(late).rejects.toBe(boom);
      await world.clock.advance(2_000);
      bench.run.fail(boom);
      await rejected;
      expect(await world.recordOf("1")).toMatchObject({ state: "failed" });
    });

    test('"store": even undefined is a result, when nothing told the run to stop', async () => {
      const bench = new Bench();
      const failed = here.guard(bench.handler, { onError: "store" })({ id: "1" });
      const rejected = expect(failed).rejects.toBeUndefined();
      await world.clock.advance(0);
      bench.run.fail(undefined);
      await rejected;
      expect(await world.recordOf("1")).toMatchObject({ state: "failed" });
    });

    test("a function decides by the error", async () => {
      const onError = (error: unknown): "store" | "release" => (error instanceof RangeError ? "store" : "release");
      const failing =
        (error: Error): (() => never) =>
        () => {
          throw error;
        };
      await expect(here.guard(failing(boom), { onError })({ id: "final" })).rejects.toBe(boom);
      expect(await world.recordOf("final")).toMatchObject({ state: "failed" });
      await expect(here.guard(failing(new Error("later")), { onError })({ id: "transient" })).rejects.toThrow("later");
      expect(await world.recordOf("transient")).toBeUndefined();
    });

    test("a function that throws, or decides nothing, releases, and its error is the caller's", async () => {
      const failing = (): never => {
        throw boom;
      };
      const onError = (): never => {
        throw new Error("in the policy");
      };
      await expect(here.guard(failing, { onError })({ id: "1" })).rejects.toThrow("in the policy");
      const undecided = (() => undefined) as unknown as () => "store";
      await expect(here.guard(failing, { onError: undecided })({ id: "1" })).rejects.toThrow(ConfigError);
      expect(await world.recordOf("1")).toBeUndefined();
    });
  });

  describe("a result that cannot be kept", () => {
    test.each([
      ["too large", "x".repeat(200), "too-large"],
      ["not data", { fn: () => {} }, "unencodable"],
    ])(
      "%s: the caller gets it, duplicates a typed error, and the handler is not run again",
      async (_, value, reason) => {
        let runs = 0;
        const handler = (): unknown => {
          runs += 1;
          return value;
        };
        expect(await here.guard(handler, { maxResultBytes: 100 })({ id: "1" })).toBe(value);
        expect(here.eventsOf("result-omitted")).toMatchObject([{ reason }]);
        const error = await there
          .guard(handler)({ id: "1" })
          .catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(IdempotencyResultError);
        expect(error).toMatchObject({ reason, code: "ERR_IDEMPOTENCY_RESULT" });
        expect(runs).toBe(1);
      },
    );

    test("too large for the store alone", async () => {
      const value = new Uint8Array(1024 * 1024 - 10);
      expect(await here.guard(() => value)({ id: "1" })).toBe(value);
      expect(await world.recordOf("1")).toMatchObject({ state: "completed", result: { omitted: "too-large" } });
      expect(here.eventsOf("result-omitted")).toMatchObject([{ reason: "too-large" }]);
      expect(here.eventsOf("lost")).toEqual([]);
    });
  });

  describe("forget", () => {
    test("lets a message run again", async () => {
      let runs = 0;
      const guarded = here.guard(() => ++runs);
      expect(await guarded.forget({ id: "1" })).toBe(false);
      await guarded({ id: "1" });
      expect(await guarded.forget({ id: "1" })).toBe(true);
      expect(await guarded({ id: "1" })).toBe(2);
    });

    test("does not take a run its claim away", async () => {
      const bench = new Bench();
      const first = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      await expect(there.guard(bench.handler).forget({ id: "1" })).rejects.toThrow(IdempotencyInProgressError);
      bench.run.finish("done");
      expect(await first).toBe("done");
    });

    test("does not take a run its claim away either that began while it looked", async () => {
      const bench = new Bench();
      await here.guard(() => "done")({ id: "1" });
      const looking = there.cache.inject({ fault: "hang-reply", operation: "get", times: 1 });
      const forgetting = expect(there.guard(bench.handler).forget({ id: "1" })).rejects.toThrow(
        IdempotencyInProgressError,
      );
      await world.clock.advance(0);
      await world.store().delete(leaseKey("1"));
      const next = here.guard(bench.handler)({ id: "1" });
      await world.clock.advance(0);
      looking.release();
      await forgetting;
      bench.run.finish("again");
      expect(await next).toBe("again");
    });

    test("removes what is no record, which no delivery does", async () => {
      await world.store().set(leaseKey("1"), new TextEncoder().encode("something else"), 1_000_000);
      const guarded = here.guard(() => "done");
      await expect(guarded({ id: "1" })).rejects.toThrow(/no record of this version; forget\(\) removes it/);
      expect(await guarded.forget({ id: "1" })).toBe(true);
      expect(await guarded({ id: "1" })).toBe("done");
    });
  });

  test("a result is replayed for resultTtlMs", async () => {
    let runs = 0;
    const guarded = here.guard(() => ++runs, { resultTtlMs: 10_000 });
    await guarded({ id: "1" });
    await world.clock.advance(9_999);
    expect(await guarded({ id: "1" })).toBe(1);
    await world.clock.advance(1);
    expect(await guarded({ id: "1" })).toBe(2);
  });

  test("fencing tokens rise with each run", async () => {
    const tokens: number[] = [];
    const guarded = here.guard((_, { fencingToken }) => tokens.push(fencingToken), { fencing: true });
    const elsewhere = there.guard((_, { fencingToken }) => tokens.push(fencingToken), { fencing: true });
    for (let round = 0; round < 3; round++) {
      await guarded({ id: "1" });
      await guarded.forget({ id: "1" });
      await elsewhere({ id: "1" });
      await guarded.forget({ id: "1" });
    }
    expect(tokens).toHaveLength(6);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    expect(await here.guard((_, context) => context.key, { name: "x" })({ id: "1" })).toBe("1");
    await expect(here.guard((_, context) => context.fencingToken, { name: "y" })({ id: "1" })).rejects.toThrow(
      /fencing: true/,
    );
  });

  test("the handler runs in the async context of its own caller", async () => {
    const tenant = new AsyncLocalStorage<string>();
    const first = new Bench();
    void there
      .guard(first.handler)({ id: "1" })
      .catch(() => {});
    await world.clock.advance(0);
    const guarded = here.guard(() => tenant.getStore());
    const impatient = tenant.run("acme", () => guarded({ id: "1" }, { waitMs: 100 }));
    const patient = tenant.run("umbrella", () => guarded({ id: "1" }));
    const rejected = expect(impatient).rejects.toThrow(IdempotencyInProgressError);
    await world.clock.advance(200);
    await rejected;
    first.run.fail(new Error("no"));
    await world.clock.advance(0);
    expect(await patient).toBe("umbrella");
  });

  test("keys and inputs are checked before anything is sent", async () => {
    const guarded = here.guard(() => "done");
    await expect(guarded({ id: "" })).rejects.toThrow(ConfigError);
    await expect(guarded({ id: 42 } as unknown as Order)).rejects.toThrow(/non-empty string, not 42/);
    await expect(guarded({ id: "1", fn: () => {} } as unknown as Order)).rejects.toThrow(/value\.fn is a function/);
    await expect(guarded({ id: "1" }, { waitMs: -1 })).rejects.toThrow(ConfigError);
    expect(here.cache.calls).toEqual([]);
    await expect(guarded({ id: "x".repeat(2_000) })).rejects.toThrow(/at most 1024/);
  });

  test("tells the observer what happens", async () => {
    const guarded = here.guard(async () => {
      await world.clock.advance(300);
      return "done";
    });
    await guarded({ id: "1" });
    await guarded({ id: "1" });
    const about = { kind: "idempotency", name: "ship", key: "1" };
    expect(here.events).toEqual([
      { ...about, type: "claimed", attempt: 1, fencingToken: 0 },
      { ...about, type: "settled", outcome: "executed", durationMs: 0 },
      { ...about, type: "settled", outcome: "replayed", durationMs: 0 },
    ]);
  });
});
