import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { follow } from "../lock/world.ts";
import { Bench, type Process, World } from "./world.ts";

describe("who comes while another delivery waits in its process", () => {
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

  test("is not judged by what that one has seen: it looks for itself, at once", async () => {
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
});
