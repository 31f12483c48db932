import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IdempotencyMismatchError } from "../../../src/primitives/idempotency/errors.ts";
import { type Process, World } from "./world.ts";

describe("the memo of results", () => {
  let world: World;
  let here: Process;
  let there: Process;

  beforeEach(() => {
    world = new World();
    here = world.process();
    there = world.process();
  });

  afterEach(() => expect(world.clock.timers, "timers left").toBe(0));

  test("makes a duplicate cost nothing, whoever ran the handler", async () => {
    const memo = true;
    const guarded = here.guard(({ id }) => ({ id }), { memo });
    await guarded({ id: "1" });
    await there.guard(({ id }) => ({ id }))({ id: "2" });
    await guarded({ id: "2" });
    const before = here.cache.count();
    const [first, second] = [await guarded.outcome({ id: "1" }), await guarded.outcome({ id: "1" })];
    expect(first).toEqual({ outcome: "replayed", value: { id: "1" } });
    expect(await guarded({ id: "2" })).toEqual({ id: "2" });
    expect(here.cache.count()).toBe(before);
    expect(second.value, "each caller has its own copy").not.toBe(first.value);
  });

  test("is off unless asked for", async () => {
    const guarded = here.guard(() => "done");
    await guarded({ id: "1" });
    const before = here.cache.count();
    await guarded({ id: "1" });
    expect(here.cache.count()).toBe(before + 1);
  });

  test("compares inputs", async () => {
    const guarded = here.guard(() => "done", { memo: true });
    await guarded({ id: "1", amount: 1 });
    await expect(guarded({ id: "1", amount: 2 })).rejects.toThrow(IdempotencyMismatchError);
  });

  test("replays errors that were stored", async () => {
    const failing = (): never => {
      throw new RangeError("no");
    };
    const guarded = here.guard(failing, { memo: true, onError: "store" });
    await expect(guarded({ id: "1" })).rejects.toThrow("no");
    const before = here.cache.count();
    await expect(guarded({ id: "1" })).rejects.toMatchObject({ replayed: true });
    expect(here.cache.count()).toBe(before);
  });

  test("outlives neither the result nor maxAgeMs, also on a machine that was suspended", async () => {
    let runs = 0;
    const guarded = here.guard(() => ++runs, { memo: true, resultTtlMs: 10_000 });
    await guarded({ id: "1" });
    await world.clock.advance(10_000);
    expect(await guarded({ id: "1" })).toBe(2);

    await there.guard(() => "done")({ id: "2" });
    const aging = here.guard(() => "again", { memo: { maxAgeMs: 1_000 } });
    await aging({ id: "2" });
    const before = here.cache.count();
    await world.clock.advance(999);
    await aging({ id: "2" });
    expect(here.cache.count()).toBe(before);
    world.clock.suspend(1);
    await aging({ id: "2" });
    expect(here.cache.count()).toBe(before + 1);
  });

  test("honours what is left of a result that another process has recorded", async () => {
    let runs = 0;
    await there.guard(() => ++runs, { resultTtlMs: 10_000 })({ id: "1" });
    await world.clock.advance(9_000);
    const guarded = here.guard(() => ++runs, { memo: true });
    expect(await guarded({ id: "1" })).toBe(1);
    await world.clock.advance(1_000);
    expect(await guarded({ id: "1" })).toBe(2);
  });

  test("is bounded", async () => {
    const guarded = here.guard(() => new Uint8Array(1_000), { memo: { maxBytes: 10_000 } });
    for (let i = 0; i < 20; i++) await guarded({ id: `${i}` });
    const before = here.cache.count();
    for (let i = 0; i < 20; i++) await guarded({ id: `${i}` });
    expect(here.cache.count() - before).toBeGreaterThan(10);
  });

  test("forgets what is forgotten here", async () => {
    let runs = 0;
    const guarded = here.guard(() => ++runs, { memo: true });
    await guarded({ id: "1" });
    await guarded.forget({ id: "1" });
    expect(await guarded({ id: "1" })).toBe(2);
  });
});
