import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { IdempotentContext } from "../../../src/primitives/idempotency/context.ts";
import { IdempotencyLostError } from "../../../src/primitives/idempotency/errors.ts";
import { messageKeys } from "../../../src/primitives/idempotency/names.ts";
import { Bench, type Process, World } from "./world.ts";

describe("the context of a handler", () => {
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

  test("has a signal that has aborted also for whoever asks for it only after the claim was lost", async () => {
    let context: IdempotentContext | undefined;
    let finish: (value: string) => void = () => {};
    const guarded = here.guard(
      (_, given) => {
        context = given;
        return new Promise<string>((resolve) => {
          finish = resolve;
        });
      },
      { leaseTtlMs: 1_000, maxRunMs: 2_000 },
    );
    const call = expect(guarded({ id: "1" })).rejects.toThrow(IdempotencyLostError);
    await world.clock.advance(5_000);
    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBeInstanceOf(IdempotencyLostError);
    finish("late");
    await call;
  });

  test("has a fencing token that only runs use up, neither duplicates nor those who wait", async () => {
    const isFence = (key: string): boolean => key === messageKeys("ship", "1").fence;
    const bench = new Bench();
    const first = here.guard(bench.handler, { fencing: true })({ id: "1" });
    await world.clock.advance(0);
    const waiting = there.guard(bench.handler, { fencing: true })({ id: "1" });
    await world.clock.advance(20_000);
    bench.run.finish("done");
    expect(await Promise.all([first, waiting])).toEqual(["done", "done"]);
    expect(await there.guard(bench.handler, { fencing: true })({ id: "1" })).toBe("done");
    expect(here.cache.count({ key: isFence })).toBeGreaterThan(0);
    expect(there.cache.count({ key: isFence })).toBe(0);
  });
});
