import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IdempotencyInProgressError } from "../../../src/primitives/idempotency/errors.ts";
import { follow } from "../lock/world.ts";
import { Bench, type Process, World } from "./world.ts";

describe("a delivery that waits", () => {
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
  });

  test("has no say in what becomes of one that comes later, which looks for itself, at once", async () => {
    here.cache.inject({ fault: "mute", operation: "watch" });
    const bench = new Bench();
    void there.guard(bench.handler)({ id: "1" });
    await world.clock.advance(0);
    const guarded = here.guard(bench.handler);
    const waiting = follow(guarded({ id: "1" }));
    await world.clock.advance(100);
    bench.run.finish("done");
    await world.clock.advance(0);
    expect(waiting.state()).toBe("pending");
    const late = follow(guarded.outcome({ id: "1" }, { waitMs: 0 }));
    await world.clock.advance(0);
    expect(late.value()).toEqual({ outcome: "replayed", value: "done" });
    expect(waiting.value()).toBe("done");
  });

  test("for a run of its own process bids for the message when that run has lost its claim, however long it goes on", async () => {
    const bench = new Bench();
    const guarded = here.guard(bench.handler, { leaseTtlMs: 1_000, maxRunMs: 2_000 });
    const hung = follow(guarded({ id: "1" }));
    const waiting = follow(guarded({ id: "1" }));
    await world.clock.advance(5_000);
    expect(bench.runs).toHaveLength(2);
    bench.run.finish("second");
    await world.clock.advance(0);
    expect(waiting.value()).toBe("second");
    bench.runs[0]?.finish("first");
    await world.clock.advance(0);
    expect(hung.error()).toMatchObject({ result: "first" });
  });

  test("has its limit counted from when it came, however late the store can tell what it waits for, and how often it looks", async () => {
    const bench = new Bench();
    void there.guard(bench.handler)({ id: "1" });
    await world.clock.advance(0);
    here.cache.inject({ fault: "delay", delayMs: 600, operation: "getOrSet", times: 1 });
    here.cache.inject({ fault: "error", operation: "watch" });
    const waiting = follow(here.guard(bench.handler)({ id: "1" }, { waitMs: 1_000 }));
    await world.clock.advance(990);
    expect(waiting.state()).toBe("pending");
    await world.clock.advance(10);
    expect(waiting.error()).toBeInstanceOf(IdempotencyInProgressError);
    bench.run.finish("done");
  });
});
